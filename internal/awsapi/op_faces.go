package awsapi

import (
	"context"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

func indexFaces(ctx context.Context, s Service, c call, in *model.IndexFacesRequest) (*model.IndexFacesResponse, error) {
	photo, err := image("image", in.Image)
	if err != nil {
		return nil, err
	}
	want := traits{asked: in.DetectionAttributes, neutral: c.neutral}
	done, err := s.IndexFaces(ctx, service.IndexRequest{
		Collection: service.CollectionID(in.CollectionId), Image: photo, ExternalID: in.ExternalImageId,
		MaxFaces: count(in.MaxFaces), Quality: service.QualityFilter(in.QualityFilter), Attributes: want.any(),
	})
	if err != nil {
		return nil, err
	}
	out := &model.IndexFacesResponse{
		FaceRecords: make([]model.FaceRecord, len(done.Faces)), UnindexedFaces: make([]model.UnindexedFace, len(done.Unindexed)),
		FaceModelVersion: done.Version,
	}
	for i := range done.Faces {
		f := &done.Faces[i]
		out.FaceRecords[i] = model.FaceRecord{Face: enrolledFace(&f.Face), FaceDetail: want.detail(&f.Detail)}
	}
	for i := range done.Unindexed {
		u := &done.Unindexed[i]
		out.UnindexedFaces[i] = model.UnindexedFace{Reasons: words[model.Reason](u.Reasons), FaceDetail: want.detail(&u.Detail)}
	}
	return out, nil
}

func listFaces(ctx context.Context, s Service, _ call, in *model.ListFacesRequest) (*model.ListFacesResponse, error) {
	ids, err := faceIDs(in.FaceIds)
	if err != nil {
		return nil, err
	}
	found, err := s.Faces(ctx, service.FaceList{
		Collection: service.CollectionID(in.CollectionId), User: service.UserID(in.UserId), IDs: ids,
		Page: page(in.NextToken, in.MaxResults),
	})
	if err != nil {
		return nil, err
	}
	out := &model.ListFacesResponse{
		Faces: make([]model.Face, len(found.Faces)), NextToken: found.Next, FaceModelVersion: found.Version,
	}
	for i := range found.Faces {
		out.Faces[i] = *enrolledFace(&found.Faces[i])
	}
	return out, nil
}

func deleteFaces(ctx context.Context, s Service, _ call, in *model.DeleteFacesRequest) (*model.DeleteFacesResponse, error) {
	ids, err := faceIDs(in.FaceIds)
	if err != nil {
		return nil, err
	}
	done, err := s.DeleteFaces(ctx, service.CollectionID(in.CollectionId), ids)
	if err != nil {
		return nil, err
	}
	out := &model.DeleteFacesResponse{
		DeletedFaces:              make([]string, len(done.Deleted)),
		UnsuccessfulFaceDeletions: make([]model.UnsuccessfulFaceDeletion, 0, len(done.Associated)+len(done.Unknown)),
	}
	for i, id := range done.Deleted {
		out.DeletedFaces[i] = id.String()
	}
	kept := func(id face.ID, user service.UserID, why model.UnsuccessfulFaceDeletionReason) {
		out.UnsuccessfulFaceDeletions = append(out.UnsuccessfulFaceDeletions, model.UnsuccessfulFaceDeletion{
			FaceId: id.String(), UserId: string(user), Reasons: []model.UnsuccessfulFaceDeletionReason{why},
		})
	}
	for _, a := range done.Associated {
		kept(a.ID, a.User, model.UnsuccessfulFaceDeletionReasonAssociatedToAnExistingUser)
	}
	for _, id := range done.Unknown {
		kept(id, "", model.UnsuccessfulFaceDeletionReasonFaceNotFound)
	}
	return out, nil
}

func searchFaces(ctx context.Context, s Service, _ call, in *model.SearchFacesRequest) (*model.SearchFacesResponse, error) {
	id, err := faceID(in.FaceId)
	if err != nil {
		return nil, err
	}
	found, err := s.SearchFaces(ctx, service.CollectionID(in.CollectionId), id, search(in.MaxFaces, in.FaceMatchThreshold))
	if err != nil {
		return nil, err
	}
	return &model.SearchFacesResponse{
		SearchedFaceId: in.FaceId, FaceMatches: faceMatches(found.Hits), FaceModelVersion: found.Version,
	}, nil
}

func searchFacesByImage(
	ctx context.Context, s Service, _ call, in *model.SearchFacesByImageRequest,
) (*model.SearchFacesByImageResponse, error) {
	photo, err := image("image", in.Image)
	if err != nil {
		return nil, err
	}
	found, err := s.SearchFacesByImage(ctx, service.CollectionID(in.CollectionId), photo,
		service.QualityFilter(in.QualityFilter), search(in.MaxFaces, in.FaceMatchThreshold))
	if err != nil {
		return nil, err
	}
	return &model.SearchFacesByImageResponse{
		SearchedFaceBoundingBox: boundingBox(found.Probe.Box), SearchedFaceConfidence: new(percent(found.Probe.Confidence)),
		FaceMatches: faceMatches(found.Hits), FaceModelVersion: found.Version,
	}, nil
}
