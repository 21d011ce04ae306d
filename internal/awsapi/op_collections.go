package awsapi

import (
	"context"
	"net/http"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

func createCollection(
	ctx context.Context, s Service, c call, in *model.CreateCollectionRequest,
) (*model.CreateCollectionResponse, error) {
	made, err := s.CreateCollection(ctx, service.CollectionID(in.CollectionId), in.Tags)
	if err != nil {
		return nil, err
	}
	return &model.CreateCollectionResponse{
		StatusCode: new(int32(http.StatusOK)), CollectionArn: c.arn(made.ID), FaceModelVersion: made.Version,
	}, nil
}

func describeCollection(
	ctx context.Context, s Service, c call, in *model.DescribeCollectionRequest,
) (*model.DescribeCollectionResponse, error) {
	found, err := s.Collection(ctx, service.CollectionID(in.CollectionId))
	if err != nil {
		return nil, err
	}
	return &model.DescribeCollectionResponse{
		FaceCount: new(found.Faces), UserCount: new(found.Users), FaceModelVersion: found.Version,
		CollectionARN: c.arn(found.ID), CreationTimestamp: model.Epoch(found.Created),
	}, nil
}

func listCollections(
	ctx context.Context, s Service, _ call, in *model.ListCollectionsRequest,
) (*model.ListCollectionsResponse, error) {
	list, next, err := s.Collections(ctx, page(in.NextToken, in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &model.ListCollectionsResponse{
		CollectionIds: make([]string, len(list)), FaceModelVersions: make([]string, len(list)), NextToken: next,
	}
	for i := range list {
		out.CollectionIds[i], out.FaceModelVersions[i] = string(list[i].ID), list[i].Version
	}
	return out, nil
}

func deleteCollection(
	ctx context.Context, s Service, _ call, in *model.DeleteCollectionRequest,
) (*model.DeleteCollectionResponse, error) {
	if err := s.DeleteCollection(ctx, service.CollectionID(in.CollectionId)); err != nil {
		return nil, err
	}
	return &model.DeleteCollectionResponse{StatusCode: new(int32(http.StatusOK))}, nil
}
