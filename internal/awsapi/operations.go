package awsapi

import (
	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
)

// operations is the dispatch table: everything that Spotter answers.
//
// An operation is about a collection where AWS lets a policy speak of one (service authorization reference); the others, and
// CreateCollection among them, are allowed for all resources or not at all.
func operations() []operation {
	return []operation{
		define("CreateCollection", nil, createCollection),
		define("DescribeCollection", func(in *model.DescribeCollectionRequest) string { return in.CollectionId }, describeCollection),
		define("ListCollections", nil, listCollections),
		define("DeleteCollection", func(in *model.DeleteCollectionRequest) string { return in.CollectionId }, deleteCollection),
		define("TagResource", func(in *model.TagResourceRequest) string { return collectionOf(in.ResourceArn) }, tagResource),
		define("UntagResource", func(in *model.UntagResourceRequest) string { return collectionOf(in.ResourceArn) }, untagResource),
		define("ListTagsForResource",
			func(in *model.ListTagsForResourceRequest) string { return collectionOf(in.ResourceArn) }, listTagsForResource),

		define("IndexFaces", func(in *model.IndexFacesRequest) string { return in.CollectionId }, indexFaces),
		define("ListFaces", func(in *model.ListFacesRequest) string { return in.CollectionId }, listFaces),
		define("DeleteFaces", func(in *model.DeleteFacesRequest) string { return in.CollectionId }, deleteFaces),
		define("SearchFaces", func(in *model.SearchFacesRequest) string { return in.CollectionId }, searchFaces),
		define("SearchFacesByImage", func(in *model.SearchFacesByImageRequest) string { return in.CollectionId }, searchFacesByImage),

		define("CreateUser", func(in *model.CreateUserRequest) string { return in.CollectionId }, createUser),
		define("DeleteUser", func(in *model.DeleteUserRequest) string { return in.CollectionId }, deleteUser),
		define("ListUsers", func(in *model.ListUsersRequest) string { return in.CollectionId }, listUsers),
		define("AssociateFaces", func(in *model.AssociateFacesRequest) string { return in.CollectionId }, associateFaces),
		define("DisassociateFaces", func(in *model.DisassociateFacesRequest) string { return in.CollectionId }, disassociateFaces),
		define("SearchUsers", func(in *model.SearchUsersRequest) string { return in.CollectionId }, searchUsers),
		define("SearchUsersByImage", func(in *model.SearchUsersByImageRequest) string { return in.CollectionId }, searchUsersByImage),

		define("DetectFaces", nil, detectFaces),
		define("CompareFaces", nil, compareFaces),

		passing(define("StartFaceSearch", func(in *model.StartFaceSearchRequest) string { return in.CollectionId }, startFaceSearch),
			func(in *model.StartFaceSearchRequest) string { return roleOf(in.NotificationChannel) }),
		define("GetFaceSearch", nil, getFaceSearch),
		passing(define("StartFaceDetection", nil, startFaceDetection),
			func(in *model.StartFaceDetectionRequest) string { return roleOf(in.NotificationChannel) }),
		define("GetFaceDetection", nil, getFaceDetection),

		passing(define("StartPersonTracking", nil, startPersonTracking),
			func(in *model.StartPersonTrackingRequest) string { return roleOf(in.NotificationChannel) }),
		define("GetPersonTracking", nil, getPersonTracking),

		define("SpotterService.CancelJob", nil, cancelJob),
		define("SpotterService.DeleteJob", nil, deleteJob),
		define("SpotterService.GetJob", nil, getJob),
		define("SpotterService.ListJobs", nil, listJobs),
	}
}
