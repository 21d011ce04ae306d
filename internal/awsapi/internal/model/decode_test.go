package model

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const faceID = "056a95fa-2060-4159-9cab-7ed4daa030fa"

func TestDecodeFillsTheStruct(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, operation, body string
		want                  any
	}{
		{"nothing at all", "ListCollections", ``, &ListCollectionsRequest{}},
		{"an empty object", "ListCollections", ` {} `, &ListCollectionsRequest{}},
		{"null is absent", "ListCollections", `{"NextToken":null,"MaxResults":null}`, &ListCollectionsRequest{}},
		{"an empty token", "GetFaceSearch", `{"JobId":"j","NextToken":""}`, &GetFaceSearchRequest{JobId: "j"}},
		{
			"unknown members", "ListCollections", `{"X":[{"y":[1,{}]},null],"nextToken":5,"MaxResults":7}`,
			&ListCollectionsRequest{MaxResults: new(int32(7))},
		},
		{"a whole number with a fraction", "ListCollections", `{"MaxResults":5.0}`, &ListCollectionsRequest{MaxResults: new(int32(5))}},
		{"a whole number with an exponent", "ListCollections", `{"MaxResults":4e3}`, &ListCollectionsRequest{MaxResults: new(int32(4000))}},
		{
			"zero is not absent", "ListFaces", `{"CollectionId":"c","MaxResults":0}`,
			&ListFacesRequest{CollectionId: "c", MaxResults: new(int32(0))},
		},
		{
			"no bound above", "GetFaceSearch", `{"JobId":"j","MaxResults":2147483647,"SortBy":"INDEX"}`,
			&GetFaceSearchRequest{JobId: "j", MaxResults: new(int32(2147483647)), SortBy: FaceSearchSortByIndex},
		},
		{
			"a float that rounds to the bound", "SearchFaces", `{"CollectionId":"c","FaceId":"` + faceID + `","FaceMatchThreshold":100.000001}`,
			&SearchFacesRequest{CollectionId: "c", FaceId: faceID, FaceMatchThreshold: new(float32(100))},
		},
		{
			"structures in structures", "StartFaceSearch",
			`{"CollectionId":"c","Video":{"S3Object":{"Bucket":"b-1","Name":"ü/\u00fc.mp4"}},` +
				`"NotificationChannel":{"RoleArn":"arn:aws:iam::000000000000:role/r","SNSTopicArn":"arn:aws:sns:us-east-1:000000000000:t"}}`,
			&StartFaceSearchRequest{
				CollectionId: "c", Video: &Video{S3Object: &S3Object{Bucket: "b-1", Name: "ü/ü.mp4"}},
				NotificationChannel: &NotificationChannel{
					RoleArn: "arn:aws:iam::000000000000:role/r", SNSTopicArn: "arn:aws:sns:us-east-1:000000000000:t",
				},
			},
		},
		{
			"a blob", "DetectFaces", `{"Image":{"Bytes":"AAEC/w=="},"Attributes":["DEFAULT","GENDER"]}`,
			&DetectFacesRequest{Image: &Image{Bytes: []byte{0, 1, 2, 255}}, Attributes: []Attribute{AttributeDefault, AttributeGender}},
		},
		{
			"a map", "CreateCollection", `{"CollectionId":"c","Tags":{"a b":"","Größe":"1/2"}}`,
			&CreateCollectionRequest{CollectionId: "c", Tags: map[string]string{"a b": "", "Größe": "1/2"}},
		},
		{
			"an empty map and list", "UntagResource", `{"ResourceArn":"arn:aws:rekognition:::","TagKeys":[]}`,
			&UntagResourceRequest{ResourceArn: "arn:aws:rekognition:::", TagKeys: []string{}},
		},
		{
			"beyond AWS", "SpotterService.ListJobs", `{"Status":"FAILED","MaxResults":9}`,
			&ListJobsRequest{Status: VideoJobStatusFailed, MaxResults: new(int32(9))},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := input(t, tc.operation)
			if err := Decode(tc.operation, []byte(tc.body), got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeRefusesWhatHasAnotherForm(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, operation, body, want string }{
		{"no JSON", "ListCollections", `{"MaxResults":`, "the body is not valid JSON: unexpected end of JSON input"},
		{
			"not a number", "ListCollections", `{"MaxResults":NaN}`,
			"the body is not valid JSON: invalid character 'N' looking for beginning of value",
		},
		{"data behind", "ListCollections", `{}{}`, "the body is not valid JSON: invalid character '{' after top-level value"},
		{
			"too deep", "ListCollections", `{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}",
			"the body is not valid JSON: invalid character '[' exceeded max depth",
		},
		{"not UTF-8", "ListCollections", "{\"NextToken\":\"\xff\"}", "the body is not UTF-8"},
		{"a list for the body", "ListCollections", `[]`, "Start of list found where not expected"},
		{"null for the body", "ListCollections", `null`, "NULL_VALUE cannot be converted to Structure"},
		{"a string for an integer", "ListCollections", `{"MaxResults":"5"}`, "STRING_VALUE cannot be converted to Integer at 'maxResults'"},
		{"a fraction for an integer", "ListCollections", `{"MaxResults":5.5}`, "5.5 cannot be converted to Integer at 'maxResults'"},
		{"beyond 32 bits", "ListCollections", `{"MaxResults":2147483648}`, "2147483648 cannot be converted to Integer at 'maxResults'"},
		{"a huge exponent", "ListCollections", `{"MaxResults":1e999999999}`, "1e999999999 cannot be converted to Integer at 'maxResults'"},
		{"a huge float", "SearchFaces", `{"FaceMatchThreshold":1e99}`, "1e99 cannot be converted to Float at 'faceMatchThreshold'"},
		{"a number for a string", "CreateCollection", `{"CollectionId":5}`, "NUMBER_VALUE cannot be converted to String at 'collectionId'"},
		{"a truth for a string", "CreateCollection", `{"CollectionId":true}`, "TRUE_VALUE cannot be converted to String at 'collectionId'"},
		{
			"an object for a string", "CreateCollection", `{"CollectionId":{}}`,
			"Start of structure or map found where not expected at 'collectionId'",
		},
		{"a string for a structure", "DetectFaces", `{"Image":"AAEC"}`, "STRING_VALUE cannot be converted to Structure at 'image'"},
		{"a string for a list", "DeleteFaces", `{"FaceIds":"x"}`, "STRING_VALUE cannot be converted to List at 'faceIds'"},
		{"a list for a map", "CreateCollection", `{"Tags":[]}`, "Start of list found where not expected at 'tags'"},
		{"a number in a list", "DeleteFaces", `{"FaceIds":["x",5]}`, "NUMBER_VALUE cannot be converted to String at 'faceIds.2.member'"},
		{"a number in a map", "CreateCollection", `{"Tags":{"a":5}}`, "NUMBER_VALUE cannot be converted to String at 'tags.a.member'"},
		{"no base64", "DetectFaces", `{"Image":{"Bytes":"A!"}}`, "'image.bytes' is not base64: illegal base64 data at input byte 1"},
		{"a member twice", "CreateCollection", `{"CollectionId":"a","CollectionId":"a"}`, "'collectionId' stands there twice"},
		{"a tag twice", "CreateCollection", `{"Tags":{"a":"1","a":"2"}}`, "'tags.a.member' stands there twice"},
		{
			"endless attributes", "DetectFaces", `{"Attributes":[` + strings.Repeat(`"ALL",`, maxEntries) + `"ALL"]}`,
			"'attributes' has more than 10000 entries",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := Decode(tc.operation, []byte(tc.body), input(t, tc.operation))
			if e := (*SerializationError)(nil); !errors.As(err, &e) || e.Error() != tc.want {
				t.Errorf("error %v\n want %s", err, tc.want)
			}
		})
	}
}

func TestDecodeSaysWhichConstraintsAreBroken(t *testing.T) {
	t.Parallel()
	const one = "1 validation error detected: "
	const ids = "[a-zA-Z0-9_.\\-]+"
	const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
	long := strings.Repeat("ü", 300)
	for _, tc := range []struct{ name, operation, body, want string }{
		{
			"pattern", "IndexFaces", `{"CollectionId":"c","Image":{},"ExternalImageId":"train/x.PNG"}`,
			one + `Value 'train/x.PNG' at 'externalImageId' failed to satisfy constraint: ` +
				`Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-:]+`,
		},
		{
			"pattern is of the whole", "CreateCollection", `{"CollectionId":"ok\n"}`,
			one + "Value 'ok\n' at 'collectionId' failed to satisfy constraint: Member must satisfy regular expression pattern: " + ids,
		},
		{
			"missing", "StartFaceSearch", `{"CollectionId":"c"}`,
			one + "Value null at 'video' failed to satisfy constraint: Member must not be null",
		},
		{
			"null", "StartFaceSearch", `{"CollectionId":"c","Video":null}`,
			one + "Value null at 'video' failed to satisfy constraint: Member must not be null",
		},
		{
			"two, in the order of the model", "StartFaceSearch", `{"CollectionId":"","JobTag":"t"}`,
			"3 validation errors detected: Value null at 'video' failed to satisfy constraint: Member must not be null; " +
				"Value '' at 'collectionId' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				"Value '' at 'collectionId' failed to satisfy constraint: Member must satisfy regular expression pattern: " + ids,
		},
		{
			"in a structure", "StartFaceSearch", `{"CollectionId":"c","Video":{"S3Object":{"Bucket":"b!","Name":""}},"NotificationChannel":{"SNSTopicArn":"t"}}`,
			"5 validation errors detected: " +
				"Value 'b!' at 'video.s3Object.bucket' failed to satisfy constraint: Member must have length greater than or equal to 3; " +
				`Value 'b!' at 'video.s3Object.bucket' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9A-Za-z\.\-_]*; ` +
				"Value '' at 'video.s3Object.name' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				`Value 't' at 'notificationChannel.sNSTopicArn' failed to satisfy constraint: Member must satisfy regular expression pattern: (^arn:aws:sns:.*:\w{12}:.+$); ` +
				"Value null at 'notificationChannel.roleArn' failed to satisfy constraint: Member must not be null",
		},
		{
			"range", "StartFaceSearch", `{"CollectionId":"c","Video":{},"FaceMatchThreshold":120}`,
			one + "Value '120.0' at 'faceMatchThreshold' failed to satisfy constraint: Member must have value less than or equal to 100",
		},
		{
			"below the range", "GetFaceSearch", `{"JobId":"j","MaxResults":0}`,
			one + "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1",
		},
		{
			"enum", "GetFaceSearch", `{"JobId":"j","SortBy":"index"}`,
			one + "Value 'index' at 'sortBy' failed to satisfy constraint: Member must satisfy enum value set: [INDEX, TIMESTAMP]",
		},
		{
			"length in characters, and shortened", "StartFaceSearch", `{"CollectionId":"` + long + `","Video":{}}`,
			"2 validation errors detected: Value '" + long[:512] + "...' at 'collectionId' failed to satisfy constraint: Member must have length less than or equal to 255; " +
				"Value '" + long[:512] + "...' at 'collectionId' failed to satisfy constraint: Member must satisfy regular expression pattern: " + ids,
		},
		{
			"an element of a list", "DeleteFaces", `{"CollectionId":"c","FaceIds":["` + faceID + `","x"]}`,
			one + "Value '[" + faceID + ", x]' at 'faceIds' failed to satisfy constraint: " +
				"Member must satisfy constraint: [Member must satisfy regular expression pattern: " + uuid + "]",
		},
		{
			"a null in a list", "DeleteFaces", `{"CollectionId":"c","FaceIds":["` + faceID + `",null,null]}`,
			one + "Value null at 'faceIds.2.member' failed to satisfy constraint: Member must not be null",
		},
		{
			"an empty list", "DeleteFaces", `{"CollectionId":"c","FaceIds":[]}`,
			one + "Value '[]' at 'faceIds' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{
			"map keys and values", "CreateCollection", `{"CollectionId":"c","Tags":{"aws:x":"!"}}`,
			`2 validation errors detected: Value '{aws:x=!}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: ` +
				`[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, ` +
				`Member must satisfy regular expression pattern: ^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]*$]; ` +
				`Value '{aws:x=!}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: ` +
				`[Member must have length less than or equal to 256, Member must have length greater than or equal to 0, ` +
				`Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$]`,
		},
		{
			"an empty blob", "DetectFaces", `{"Image":{"Bytes":""}}`,
			one + "Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at 'image.bytes' failed to satisfy constraint: " +
				"Member must have length greater than or equal to 1",
		},
		{
			"a blob of a byte too many", "DetectFaces", `{"Image":{"Bytes":"` + strings.Repeat("AAAA", 5242881/3) + `"}}`,
			one + "Value 'java.nio.HeapByteBuffer[pos=0 lim=5242881 cap=5242881]' at 'image.bytes' failed to satisfy constraint: " +
				"Member must have length less than or equal to 5242880",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := Decode(tc.operation, []byte(tc.body), input(t, tc.operation))
			if err == nil || err.Error() != tc.want {
				t.Errorf("error %v\n want %s", err, tc.want)
			}
		})
	}
}

func TestDecodeOfTooManyEntriesKeepsFew(t *testing.T) {
	t.Parallel()
	body := `{"CollectionId":"c","UserId":"u","FaceIds":["` + faceID + `"` + strings.Repeat(`,"x"`, 500_000) + `]}`
	in := &AssociateFacesRequest{}
	err := Decode("AssociateFaces", []byte(body), in)
	if e := (*ValidationError)(nil); !errors.As(err, &e) || len(e.Violations) != 2 || len(err.Error()) > 2_000 {
		t.Fatalf("error %.300v", err)
	}
	if len(in.FaceIds) != 100 || cap(in.FaceIds) > 200 {
		t.Errorf("%d ids kept", len(in.FaceIds))
	}
	tags := &TagResourceRequest{}
	var many strings.Builder
	for i := range 1_000 {
		fmt.Fprintf(&many, `"key %d":"v",`, i)
	}
	err = Decode("TagResource", []byte(`{"ResourceArn":"arn:aws:rekognition:::","Tags":{`+many.String()+`"last":"v"}}`), tags)
	if e := (*ValidationError)(nil); !errors.As(err, &e) || len(e.Violations) != 1 || len(tags.Tags) != 200 {
		t.Errorf("%d tags kept, error %.300v", len(tags.Tags), err)
	}
}

// TestDecodeDoesNotCareForTheOrder: the same members in another order are the same request and the same message.
func TestDecodeDoesNotCareForTheOrder(t *testing.T) {
	t.Parallel()
	members := []string{
		`"JobTag":"!"`, `"CollectionId":""`, `"Video":{"S3Object":{"Name":"","Bucket":"b"}}`, `"ClientRequestToken":"t"`,
		`"FaceMatchThreshold":-1`, `"NotificationChannel":{}`, `"Unknown":[1,{"CollectionId":"x"}]`,
	}
	want := Decode("StartFaceSearch", []byte("{"+strings.Join(members, ",")+"}"), &StartFaceSearchRequest{})
	if e := (*ValidationError)(nil); !errors.As(want, &e) || len(e.Violations) != 8 {
		t.Fatal(want)
	}
	rapid.Check(t, func(t *rapid.T) {
		shuffled := rapid.Permutation(members).Draw(t, "members")
		got := Decode("StartFaceSearch", []byte("{"+strings.Join(shuffled, ",")+"}"), &StartFaceSearchRequest{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDecodeForAnotherStruct(t *testing.T) {
	t.Parallel()
	for _, into := range []any{nil, GetFaceSearchRequest{}, (*GetFaceSearchRequest)(nil), &GetFaceDetectionRequest{}} {
		if err := Decode("GetFaceSearch", []byte("{}"), into); err == nil || errors.As(err, new(*ValidationError)) {
			t.Errorf("into a %T: error %v", into, err)
		}
	}
	for _, operation := range []string{"", "GetFaceSearc", "DetectLabels"} {
		if err := Decode(operation, nil, &GetFaceSearchRequest{}); err == nil {
			t.Errorf("operation %q was decoded", operation)
		}
	}
}

// input is a new input struct of the operation.
func input(tb testing.TB, operation string) any {
	tb.Helper()
	for _, in := range inputs() {
		if op, ok := Lookup(operation); ok && structName(in) == op.Input.Name {
			return in
		}
	}
	tb.Fatalf("no input of %s", operation)
	return nil
}
