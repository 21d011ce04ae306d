package awsapi

import (
	"context"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

func createUser(ctx context.Context, s Service, _ call, in *model.CreateUserRequest) (*model.CreateUserResponse, error) {
	return nil, s.CreateUser(ctx, service.CollectionID(in.CollectionId), service.UserID(in.UserId), in.ClientRequestToken)
}

func deleteUser(ctx context.Context, s Service, _ call, in *model.DeleteUserRequest) (*model.DeleteUserResponse, error) {
	return nil, s.DeleteUser(ctx, service.CollectionID(in.CollectionId), service.UserID(in.UserId), in.ClientRequestToken)
}

func listUsers(ctx context.Context, s Service, _ call, in *model.ListUsersRequest) (*model.ListUsersResponse, error) {
	list, next, err := s.Users(ctx, service.CollectionID(in.CollectionId), page(in.NextToken, in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &model.ListUsersResponse{Users: make([]model.User, len(list)), NextToken: next}
	for i, u := range list {
		out.Users[i] = model.User{UserId: string(u.ID), UserStatus: model.UserStatus(u.Status)}
	}
	return out, nil
}

func associateFaces(
	ctx context.Context, s Service, _ call, in *model.AssociateFacesRequest,
) (*model.AssociateFacesResponse, error) {
	ids, err := faceIDs(in.FaceIds)
	if err != nil {
		return nil, err
	}
	done, err := s.AssociateFaces(ctx, service.AssociateRequest{
		Collection: service.CollectionID(in.CollectionId), User: service.UserID(in.UserId), IDs: ids,
		Threshold: threshold(in.UserMatchThreshold), Token: in.ClientRequestToken,
	})
	if err != nil {
		return nil, err
	}
	out := &model.AssociateFacesResponse{
		AssociatedFaces:              make([]model.AssociatedFace, len(done.Done)),
		UnsuccessfulFaceAssociations: make([]model.UnsuccessfulFaceAssociation, len(done.Failed)),
		UserStatus:                   model.UserStatus(done.Status),
	}
	for i, id := range done.Done {
		out.AssociatedFaces[i].FaceId = id.String()
	}
	for i, f := range done.Failed {
		failed := model.UnsuccessfulFaceAssociation{
			FaceId: f.ID.String(), UserId: string(f.User),
			Reasons: []model.UnsuccessfulFaceAssociationReason{model.UnsuccessfulFaceAssociationReason(f.Reason)},
		}
		if f.Reason == service.LowSimilarity {
			failed.Confidence = new(percent(float32(f.Similarity)))
		}
		out.UnsuccessfulFaceAssociations[i] = failed
	}
	return out, nil
}

func disassociateFaces(
	ctx context.Context, s Service, _ call, in *model.DisassociateFacesRequest,
) (*model.DisassociateFacesResponse, error) {
	ids, err := faceIDs(in.FaceIds)
	if err != nil {
		return nil, err
	}
	done, err := s.DisassociateFaces(ctx, service.AssociateRequest{
		Collection: service.CollectionID(in.CollectionId), User: service.UserID(in.UserId), IDs: ids,
		Token: in.ClientRequestToken,
	})
	if err != nil {
		return nil, err
	}
	out := &model.DisassociateFacesResponse{
		DisassociatedFaces:              make([]model.DisassociatedFace, len(done.Done)),
		UnsuccessfulFaceDisassociations: make([]model.UnsuccessfulFaceDisassociation, len(done.Failed)),
		UserStatus:                      model.UserStatus(done.Status),
	}
	for i, id := range done.Done {
		out.DisassociatedFaces[i].FaceId = id.String()
	}
	for i, f := range done.Failed {
		out.UnsuccessfulFaceDisassociations[i] = model.UnsuccessfulFaceDisassociation{
			FaceId: f.ID.String(), UserId: string(f.User),
			Reasons: []model.UnsuccessfulFaceDisassociationReason{model.UnsuccessfulFaceDisassociationReason(f.Reason)},
		}
	}
	return out, nil
}

func searchUsers(ctx context.Context, s Service, _ call, in *model.SearchUsersRequest) (*model.SearchUsersResponse, error) {
	if (in.UserId == "") == (in.FaceId == "") {
		return nil, service.Errorf(service.Invalid, "Request has invalid parameters: exactly one of UserId and FaceId is needed")
	}
	id, how := service.CollectionID(in.CollectionId), search(in.MaxUsers, in.UserMatchThreshold)
	if in.UserId != "" {
		found, err := s.SearchUsers(ctx, id, service.UserID(in.UserId), how)
		if err != nil {
			return nil, err
		}
		return &model.SearchUsersResponse{
			UserMatches: userMatches(found.Hits), FaceModelVersion: found.Version,
			SearchedUser: &model.SearchedUser{UserId: in.UserId},
		}, nil
	}
	probe, err := faceID(in.FaceId)
	if err != nil {
		return nil, err
	}
	found, err := s.SearchUsersByFace(ctx, id, probe, how)
	if err != nil {
		return nil, err
	}
	return &model.SearchUsersResponse{
		UserMatches: userMatches(found.Hits), FaceModelVersion: found.Version,
		SearchedFace: &model.SearchedFace{FaceId: in.FaceId},
	}, nil
}

func searchUsersByImage(
	ctx context.Context, s Service, _ call, in *model.SearchUsersByImageRequest,
) (*model.SearchUsersByImageResponse, error) {
	photo, err := image("image", in.Image)
	if err != nil {
		return nil, err
	}
	found, err := s.SearchUsersByImage(ctx, service.CollectionID(in.CollectionId), photo,
		service.QualityFilter(in.QualityFilter), search(in.MaxUsers, in.UserMatchThreshold))
	if err != nil {
		return nil, err
	}
	out := &model.SearchUsersByImageResponse{
		UserMatches: userMatches(found.Hits), FaceModelVersion: found.Version,
		UnsearchedFaces: make([]model.UnsearchedFace, len(found.Unused)),
	}
	if found.Probe != nil {
		out.SearchedFace = &model.SearchedFaceDetails{FaceDetail: faceDetail(&found.Probe.Detection)}
	}
	for i := range found.Unused {
		u := &found.Unused[i]
		out.UnsearchedFaces[i] = model.UnsearchedFace{
			FaceDetails: faceDetail(&u.Detail.Detection), Reasons: words[model.UnsearchedFaceReason](u.Reasons),
		}
	}
	return out, nil
}
