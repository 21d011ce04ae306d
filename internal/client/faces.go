package client

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// Face is a face of a collection.
type Face struct {
	ID, ImageID string
	ExternalID  string  // empty for none
	User        string  // whose it is; empty for nobody's
	Confidence  float32 // that it is a face, in percent
}

// pageFaces is how many faces come with a request: the most that there may.
const pageFaces = 4096

// Faces calls each for the faces of a collection, in the server's order. An error of each ends it and is returned.
func (s *Server) Faces(ctx context.Context, collection string, each func(Face) error) error {
	pages := rekognition.NewListFacesPaginator(s.api, &rekognition.ListFacesInput{CollectionId: &collection, MaxResults: aws.Int32(pageFaces)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(fmt.Sprintf("list the faces of collection %q", collection), err)
		}
		for i := range page.Faces {
			f := &page.Faces[i]
			err := each(Face{
				ID: aws.ToString(f.FaceId), ImageID: aws.ToString(f.ImageId), ExternalID: aws.ToString(f.ExternalImageId),
				User: aws.ToString(f.UserId), Confidence: aws.ToFloat32(f.Confidence),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
