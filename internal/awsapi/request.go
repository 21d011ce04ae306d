package awsapi

import (
	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// image is a photo of a request; name is the member, for the message. The model lets both members be absent and both be
// there.
func image(name string, i *model.Image) (service.Image, error) {
	switch {
	case (i.S3Object == nil) == (i.Bytes == nil):
		return service.Image{}, service.Errorf(service.Invalid,
			"Request has invalid parameters: %s needs either Bytes or S3Object", name)
	case i.Bytes != nil:
		return service.Image{Bytes: i.Bytes}, nil
	default:
		o, err := object(name, i.S3Object)
		return service.Image{Object: &o}, err
	}
}

// object is an object of a bucket. The model lets its members be absent.
func object(name string, o *model.S3Object) (service.Object, error) {
	if o == nil || o.Bucket == "" || o.Name == "" {
		return service.Object{}, service.Errorf(service.Invalid,
			"Request has invalid parameters: %s needs an S3Object with Bucket and Name", name)
	}
	return service.Object{Bucket: o.Bucket, Key: o.Name, Version: o.Version}, nil
}

func page(token string, most *int32) service.PageRequest {
	return service.PageRequest{Token: token, Max: count(most)}
}

func search(most *int32, least *float32) service.Search {
	return service.Search{Max: count(most), Threshold: threshold(least)}
}

// count is 0 for what is absent: the service's default.
func count(n *int32) int {
	if n == nil {
		return 0
	}
	return int(*n)
}

func threshold(t *float32) *face.Similarity {
	if t == nil {
		return nil
	}
	return new(face.Similarity(*t))
}

func faceID(text string) (face.ID, error) {
	id, err := face.ParseID(text)
	if err != nil { // the pattern of the model is stricter, so this says that the two have drifted apart
		return id, &service.Error{Kind: service.Invalid, Message: "Request has invalid parameters: FaceId is no id of a face", Err: err}
	}
	return id, nil
}

// faceIDs is nil for nil.
func faceIDs(texts []string) ([]face.ID, error) {
	if texts == nil {
		return nil, nil
	}
	ids := make([]face.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = faceID(text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
