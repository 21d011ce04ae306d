package awsapi

import (
	"context"
	"strings"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

func tagResource(ctx context.Context, s Service, c call, in *model.TagResourceRequest) (*model.TagResourceResponse, error) {
	id, err := tagged(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, s.Tag(ctx, id, in.Tags)
}

func untagResource(
	ctx context.Context, s Service, c call, in *model.UntagResourceRequest,
) (*model.UntagResourceResponse, error) {
	id, err := tagged(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, s.Untag(ctx, id, in.TagKeys)
}

func listTagsForResource(
	ctx context.Context, s Service, c call, in *model.ListTagsForResourceRequest,
) (*model.ListTagsForResourceResponse, error) {
	id, err := tagged(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := s.Tags(ctx, id)
	if err != nil {
		return nil, err
	}
	if tags == nil {
		tags = map[string]string{}
	}
	return &model.ListTagsForResourceResponse{Tags: tags}, nil
}

// tagged is the collection of an ARN, which has to be one of this account and region.
func tagged(c call, arn string) (service.CollectionID, error) {
	id := service.CollectionID(collectionOf(arn))
	if id == "" {
		return "", service.Errorf(service.Invalid, "Request has invalid parameters: %s is not the ARN of a collection", arn)
	}
	if c.arn(id) != whole(arn) {
		return "", service.Errorf(service.NotFound, "The resource %s does not exist; collections here are called as in %s", arn, c.arn(id))
	}
	return id, nil
}

// collectionOf is the id of the collection that an ARN is of, in any account; empty if it is of none.
func collectionOf(arn string) string {
	// arn:partition:rekognition:region:account:resource
	parts := strings.SplitN(whole(arn), ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "rekognition" {
		return ""
	}
	id, found := strings.CutPrefix(parts[5], "collection/")
	if !found {
		return ""
	}
	return id
}

// whole is an ARN with its beginning, which CreateCollection of Rekognition left out for years: people have such ARNs.
func whole(arn string) string {
	if strings.HasPrefix(arn, "aws:rekognition:") {
		return "arn:" + arn
	}
	return arn
}
