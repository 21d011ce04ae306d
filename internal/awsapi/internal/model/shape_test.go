package model

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func inputs() []any {
	return []any{
		&CreateCollectionRequest{}, &DescribeCollectionRequest{}, &ListCollectionsRequest{}, &DeleteCollectionRequest{},
		&TagResourceRequest{}, &UntagResourceRequest{}, &ListTagsForResourceRequest{},
		&IndexFacesRequest{}, &ListFacesRequest{}, &DeleteFacesRequest{}, &SearchFacesRequest{}, &SearchFacesByImageRequest{},
		&CreateUserRequest{}, &DeleteUserRequest{}, &ListUsersRequest{}, &AssociateFacesRequest{}, &DisassociateFacesRequest{},
		&SearchUsersRequest{}, &SearchUsersByImageRequest{}, &DetectFacesRequest{}, &CompareFacesRequest{},
		&StartFaceSearchRequest{}, &GetFaceSearchRequest{}, &StartFaceDetectionRequest{}, &GetFaceDetectionRequest{},
		&StartPersonTrackingRequest{}, &GetPersonTrackingRequest{},
		&JobRequest{}, &ListJobsRequest{},
	}
}

func structName(v any) string { return reflect.TypeOf(v).Elem().Name() }

// TestStructsAndShapesAgree holds every struct that can be reached against its descriptor: the reader goes by the index.
func TestStructsAndShapesAgree(t *testing.T) {
	t.Parallel()
	byName := map[string]any{}
	for _, in := range inputs() {
		byName[structName(in)] = in
	}
	checked := map[string]bool{}
	for _, name := range append(Names(), "SpotterService.CancelJob", "SpotterService.DeleteJob", "SpotterService.GetJob",
		"SpotterService.ListJobs") {
		op, _ := Lookup(name)
		if !op.Supported() {
			continue
		}
		in := byName[op.Input.Name]
		if in == nil {
			t.Errorf("%s: no struct %s", name, op.Input.Name)
			continue
		}
		agree(t, op.Input, reflect.TypeOf(in).Elem(), checked)
		agree(t, op.Output, reflect.TypeOf(op.newOutput()).Elem(), checked)
	}
	if len(checked) < 80 {
		t.Errorf("only %d structs were reached", len(checked))
	}
}

func agree(t *testing.T, s *Shape, typ reflect.Type, checked map[string]bool) {
	t.Helper()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch s.Kind { //nolint:exhaustive // scalars have nothing inside
	case List, Map:
		agree(t, s.Element, typ.Elem(), checked)
	case Structure:
		if typ.Name() != s.Name || typ.NumField() != len(s.Members) {
			t.Fatalf("struct %s with %d fields, shape %s with %d members", typ.Name(), typ.NumField(), s.Name, len(s.Members))
		}
		if checked[s.Name] {
			return
		}
		checked[s.Name] = true
		for i, m := range s.Members {
			f := typ.Field(i)
			if f.Name != m.Name || f.Tag.Get("json") != ",omitzero" {
				t.Errorf("%s: field %s `%s`, member %s", s.Name, f.Name, f.Tag, m.Name)
			}
			agree(t, m.Shape, f.Type, checked)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		shape *Shape
		value string
		want  bool
	}{
		{shapeTagKey, "Größe 1", true},
		{shapeTagKey, "aws", true},
		{shapeTagKey, "AWS:x", true}, // the service model refuses small letters only
		{shapeTagKey, "aws:x", false},
		{shapeTagKey, "xaws:", true},
		{shapeTagKey, "a\n", false},
		{shapeTagValue, "aws:x", true},
		{shapeTagValue, "", true},
		{shapeJobId, "a-_9", true},
		{shapeJobId, "a-_9\n", false},
		{shapeJobId, "", false},
		{shapeFaceId, faceID, true},
		{shapeFaceId, strings.ToUpper(faceID), false},
		{shapeFaceId, "x" + faceID, false},
		{shapeSNSTopicArn, "arn:aws:sns:us-east-1:000000000000:topic", true},
		{shapeSNSTopicArn, "arn:aws:sns:us-east-1:000000000000:", false},
		{shapeSNSTopicArn, "arn:aws:sns:us-east-1:000000000000:a\u2028b", false}, // Java's dot
		{shapeSNSTopicArn, "arn:aws:sns:us-east-1:000000000000:a\rb", false},
		{shapeSNSTopicArn, "arn:aws:sns:us-east-1:000000000000:a b:c", true},
		{shapeRoleArn, "arn:aws:iam::000000000000:role/service-role/r", true},
		{shapeRoleArn, "arn:aws-cn:iam::000000000000:role/r", false},
	} {
		if got := tc.shape.Pattern.Match(tc.value); got != tc.want {
			t.Errorf("%s %q: %t, want %t", tc.shape.Name, tc.value, got, tc.want)
		}
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	names := Names()
	if len(names) != 75 {
		t.Errorf("%d operations, want 75", len(names))
	}
	supported := 0
	for _, name := range names {
		op, known := Lookup(name)
		if !known || len(op.Errors) == 0 || !op.Declares("InternalServerError") || op.Declares("") {
			t.Errorf("%s: %+v", name, op)
		}
		if op.Supported() {
			supported++
		}
	}
	if supported != 27 {
		t.Errorf("%d are supported, want 27", supported)
	}
	start, _ := Lookup("StartFaceSearch")
	if len(start.Errors) != 10 || !start.Declares("VideoTooLargeException") || start.Declares("ResourceInUseException") {
		t.Errorf("StartFaceSearch declares %q", start.Errors)
	}
	if _, known := Lookup("startFaceSearch"); known {
		t.Error("names are case-sensitive")
	}
}

func TestEpoch(t *testing.T) {
	t.Parallel()
	if got := *Epoch(time.Unix(1569444828, 274_999_999)); got != 1569444828.274 {
		t.Errorf("%f", got)
	}
}
