package awsapi

import (
	"context"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// Service is what the operations need of the use cases: [service.Service] is one. Errors are [service.Error] where the caller
// is to be told; what is returned may be kept. Safe for concurrent use.
type Service interface {
	CreateCollection(ctx context.Context, id service.CollectionID, tags map[string]string) (*service.Collection, error)
	Collection(ctx context.Context, id service.CollectionID) (*service.Collection, error)
	Collections(ctx context.Context, page service.PageRequest) (list []service.Collection, next string, err error)
	DeleteCollection(ctx context.Context, id service.CollectionID) error
	Tags(ctx context.Context, id service.CollectionID) (map[string]string, error)
	Tag(ctx context.Context, id service.CollectionID, tags map[string]string) error
	Untag(ctx context.Context, id service.CollectionID, keys []string) error

	IndexFaces(ctx context.Context, r service.IndexRequest) (*service.Indexed, error)
	Faces(ctx context.Context, r service.FaceList) (*service.Faces, error)
	DeleteFaces(ctx context.Context, id service.CollectionID, ids []face.ID) (*service.DeletedFaces, error)
	SearchFaces(ctx context.Context, id service.CollectionID, probe face.ID, r service.Search) (*service.FacesFound, error)
	SearchFacesByImage(
		ctx context.Context, id service.CollectionID, image service.Image, q service.QualityFilter, r service.Search,
	) (*service.FacesFound, error)

	CreateUser(ctx context.Context, id service.CollectionID, user service.UserID, token string) error
	DeleteUser(ctx context.Context, id service.CollectionID, user service.UserID, token string) error
	Users(ctx context.Context, id service.CollectionID, page service.PageRequest) (list []service.User, next string, err error)
	AssociateFaces(ctx context.Context, r service.AssociateRequest) (*service.Associated, error)
	DisassociateFaces(ctx context.Context, r service.AssociateRequest) (*service.Associated, error)
	SearchUsers(
		ctx context.Context, id service.CollectionID, user service.UserID, r service.Search,
	) (*service.UsersFound, error)
	SearchUsersByFace(
		ctx context.Context, id service.CollectionID, probe face.ID, r service.Search,
	) (*service.UsersFound, error)
	SearchUsersByImage(
		ctx context.Context, id service.CollectionID, image service.Image, q service.QualityFilter, r service.Search,
	) (*service.UsersFound, error)

	DetectFaces(ctx context.Context, image service.Image, attributes bool) ([]service.Detail, error)
	CompareFaces(
		ctx context.Context, source, target service.Image, threshold *face.Similarity, q service.QualityFilter,
	) (*service.Comparison, error)

	StartJob(ctx context.Context, r service.StartRequest) (service.JobID, error)
	Results(ctx context.Context, r service.ResultRequest) (*service.ResultPage, error)
	Job(ctx context.Context, id service.JobID) (*service.Job, error)
	Progress(j *service.Job) service.Progress
	CancelJob(ctx context.Context, id service.JobID) error
	DeleteJob(ctx context.Context, id service.JobID) error
	Jobs(ctx context.Context, state service.JobState, page service.PageRequest) (*service.JobList, error)
}
