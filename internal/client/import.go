package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/spotter-video/spotter/internal/fault"
)

// Photo is a photo that is to be enrolled.
type Photo struct {
	Path string
	// ExternalID is the face's name in the collection, which tells whether it is there already. User is who it is of, as a user's id;
	// empty where users are not wanted.
	ExternalID, User string
}

// Import is what to put into a collection, and whom to tell.
type Import struct {
	Collection string
	Photos     []Photo
	// AtOnce is how many photos are on their way at the same time, at least 1.
	AtOnce int
	// Progress is told how many photos have been dealt with, Note what was refused and why: one call at a time each, by several goroutines.
	Progress func(done int)
	Note     func(path, reason string)
}

// Imported is how an import ended.
type Imported struct {
	Created  bool // the collection was made
	Photos   int  // that were named
	Enrolled int  // faces that were put in
	Known    int  // photos whose face was there already
	Refused  int  // photos without a face that can be used, or that cannot be sent
	Users    int  // people whose faces were put together
}

// Import enrols the largest face of each photo whose external id the collection does not have; the collection is made if it is not there. What is
// stopped goes on with the next Import, and what is there is not sent again. Errors are of the server, or of none of the photos in particular.
func (s *Server) Import(ctx context.Context, in Import) (*Imported, error) {
	i := &importing{Import: in, server: s, done: Imported{Photos: len(in.Photos)}, known: map[string]string{}, users: map[string][]string{}}
	if err := i.look(ctx); err != nil {
		return nil, err
	}
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(max(in.AtOnce, 1))
	for _, p := range in.Photos {
		group.Go(func() error { return i.photo(each, p) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return &i.done, i.associate(ctx)
}

// importing is an [Import] under way.
type importing struct {
	Import
	server *Server
	known  map[string]string // the faces of the collection by their external ids, when the import began

	mu     sync.Mutex
	done   Imported            // guarded by mu, as are the following
	looked int                 // photos that have been dealt with
	users  map[string][]string // faces that are to be each user's
}

// look lists what is there, and makes the collection if it is not.
func (i *importing) look(ctx context.Context) error {
	_, err := i.server.api.CreateCollection(ctx, &rekognition.CreateCollectionInput{CollectionId: &i.Collection})
	var there *types.ResourceAlreadyExistsException
	switch i.done.Created = err == nil; {
	case err == nil:
		return nil
	case !errors.As(err, &there):
		return failed(fmt.Sprintf("make collection %q", i.Collection), err)
	}
	return i.server.Faces(ctx, i.Collection, func(f Face) error {
		if f.ExternalID != "" {
			i.known[f.ExternalID] = f.ID
		}
		return nil
	})
}

// photo deals with one photo.
func (i *importing) photo(ctx context.Context, p Photo) error {
	id, known := i.known[p.ExternalID]
	reason := ""
	if !known {
		var err error
		if id, reason, err = i.enrol(ctx, p); err != nil {
			return err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case reason != "":
		i.done.Refused++
		i.Note(p.Path, reason)
	case known:
		i.done.Known++
	default:
		i.done.Enrolled++
	}
	if p.User != "" && reason == "" {
		i.users[p.User] = append(i.users[p.User], id)
	}
	i.looked++
	i.Progress(i.looked)
	return nil
}

// enrol sends a photo, and says why it was refused if it was.
func (i *importing) enrol(ctx context.Context, p Photo) (id, refused string, err error) {
	content, err := os.ReadFile(p.Path)
	if err != nil {
		return "", fault.Reason(err), nil
	}
	out, err := i.server.api.IndexFaces(ctx, &rekognition.IndexFacesInput{
		CollectionId: &i.Collection, ExternalImageId: &p.ExternalID, MaxFaces: aws.Int32(1), Image: &types.Image{Bytes: content},
	}, patient)
	switch code(err) {
	case "":
	case "InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException", "ValidationException":
		return "", ofPhoto(err), nil
	}
	if err != nil {
		return "", "", failed("enrol "+p.Path, err)
	}
	if len(out.FaceRecords) == 0 {
		return "", unindexed(out.UnindexedFaces), nil
	}
	return aws.ToString(out.FaceRecords[0].Face.FaceId), "", nil
}

// patient tries a request more often than the SDK does of itself: a server that is busy says so, and many photos in a row are worth waiting for.
func patient(o *rekognition.Options) { o.RetryMaxAttempts = 10 }

// ofPhoto says what is wrong with a photo.
func ofPhoto(err error) string {
	if large, ok := errors.AsType[*types.ImageTooLargeException](err); ok {
		return "it is too large to be sent: make it smaller (" + large.ErrorMessage() + ")"
	}
	refused := smithy.APIError(nil)
	errors.As(err, &refused)
	return refused.ErrorMessage() + " (" + refused.ErrorCode() + ")"
}

// unindexed says why no face was taken.
func unindexed(faces []types.UnindexedFace) string {
	words := map[types.Reason]string{
		types.ReasonExtremePose: "turned away too far", types.ReasonLowBrightness: "too dark", types.ReasonLowSharpness: "too blurred",
		types.ReasonLowConfidence: "hardly a face", types.ReasonSmallBoundingBox: "too small", types.ReasonLowFaceQuality: "of too little quality",
	}
	said := map[string]bool{}
	for _, f := range faces {
		for _, r := range f.Reasons {
			said[cmp.Or(words[r], string(r))] = true
		}
	}
	if len(said) == 0 {
		return "no face was found"
	}
	return "its face is " + strings.Join(slices.Sorted(maps.Keys(said)), ", ")
}

// mostAssociated is how many faces may be given to a user with one request.
const mostAssociated = 100

// associate makes users of the people, and gives them their faces.
func (i *importing) associate(ctx context.Context) error {
	for _, user := range slices.Sorted(maps.Keys(i.users)) {
		_, err := i.server.api.CreateUser(ctx, &rekognition.CreateUserInput{CollectionId: &i.Collection, UserId: &user})
		var there *types.ConflictException
		if err != nil && !errors.As(err, &there) {
			return failed(fmt.Sprintf("make user %q", user), err)
		}
		faces := i.users[user]
		slices.Sort(faces)
		for some := range slices.Chunk(slices.Compact(faces), mostAssociated) {
			out, err := i.server.api.AssociateFaces(ctx, &rekognition.AssociateFacesInput{
				CollectionId: &i.Collection, UserId: &user, FaceIds: some, UserMatchThreshold: aws.Float32(0),
			})
			if err != nil {
				return failed(fmt.Sprintf("give user %q faces", user), err)
			}
			for _, f := range out.UnsuccessfulFaceAssociations {
				i.Note(aws.ToString(f.FaceId), fmt.Sprintf("is not given to %s: %v", user, f.Reasons))
			}
		}
		i.done.Users++
	}
	return nil
}
