package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

var _ Service = (*service.Service)(nil)

var update = flag.Bool("update", false, "write the golden files anew")

func someCall() call {
	return call{
		caller: service.Caller{Key: "AKID", Name: "arn:aws:iam::000000000000:user/anna"}, region: "us-east-1", account: "000000000000",
		arn: func(id service.CollectionID) string {
			return "arn:aws:rekognition:us-east-1:000000000000:collection/" + string(id)
		},
	}
}

// perform runs an operation as the door does: what it says, and its error.
func perform(t *testing.T, name, body string, s Service) ([]byte, error) {
	t.Helper()
	at := slices.IndexFunc(operations(), func(o operation) bool { return o.name == name })
	if at < 0 {
		t.Fatalf("no operation %q", name)
	}
	op := operations()[at]
	in := op.input()
	if err := model.Decode(name, []byte(body), in); err != nil {
		return nil, err
	}
	out, err := op.handle(t.Context(), s, someCall(), in)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return []byte("{}"), nil
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.CheckOutput(name, text); err != nil {
		t.Errorf("%s: %v\n%s", name, err, text)
	}
	return text, nil
}

const (
	bytesImage  = `{"Bytes":"AAEC"}`
	objectImage = `{"S3Object":{"Bucket":"bucket","Name":"a/photo.jpg","Version":"v1"}}`
	bobID       = `"0b000000-0000-0000-0000-000000000000"`
	arn         = `"arn:aws:rekognition:us-east-1:000000000000:collection/people"`
	channel     = `{"SNSTopicArn":"arn:aws:sns:us-east-1:000000000000:topic","RoleArn":"arn:aws:iam::000000000000:role/r"}`
	clip        = `{"S3Object":{"Bucket":"bucket","Name":"a/video.mp4"}}`
)

// requests are what each operation is asked in the golden files: as much as there is to ask, and as little.
func requests() map[string][2]string {
	return map[string][2]string{
		"CreateCollection":    {`{"CollectionId":"people","Tags":{"team":"news"}}`, `{"CollectionId":"people"}`},
		"DescribeCollection":  {`{"CollectionId":"people"}`, `{"CollectionId":"people"}`},
		"ListCollections":     {`{"MaxResults":2,"NextToken":"token"}`, ``},
		"DeleteCollection":    {`{"CollectionId":"people"}`, `{"CollectionId":"people"}`},
		"TagResource":         {`{"ResourceArn":` + arn + `,"Tags":{"a":"b"}}`, `{"ResourceArn":` + arn + `,"Tags":{}}`},
		"UntagResource":       {`{"ResourceArn":` + arn + `,"TagKeys":["a"]}`, `{"ResourceArn":` + arn + `,"TagKeys":[]}`},
		"ListTagsForResource": {`{"ResourceArn":` + arn + `}`, `{"ResourceArn":` + strings.Replace(arn, "arn:", "", 1) + `}`},
		"IndexFaces": {
			`{"CollectionId":"people","Image":` + objectImage + `,"ExternalImageId":"bob.1","DetectionAttributes":["DEFAULT","ALL"],` +
				`"MaxFaces":5,"QualityFilter":"HIGH"}`,
			`{"CollectionId":"people","Image":` + bytesImage + `}`,
		},
		"ListFaces": {
			`{"CollectionId":"people","MaxResults":4096,"NextToken":"token","UserId":"bob","FaceIds":[` + bobID + `]}`,
			`{"CollectionId":"people","MaxResults":0}`,
		},
		"DeleteFaces": {`{"CollectionId":"people","FaceIds":[` + bobID + `]}`, `{"CollectionId":"people","FaceIds":[` + bobID + `]}`},
		"SearchFaces": {
			`{"CollectionId":"people","FaceId":` + bobID + `,"MaxFaces":9,"FaceMatchThreshold":0}`,
			`{"CollectionId":"people","FaceId":` + bobID + `}`,
		},
		"SearchFacesByImage": {
			`{"CollectionId":"people","Image":` + objectImage + `,"MaxFaces":9,"FaceMatchThreshold":85.5,"QualityFilter":"LOW"}`,
			`{"CollectionId":"people","Image":` + bytesImage + `}`,
		},
		"CreateUser": {`{"CollectionId":"people","UserId":"bob","ClientRequestToken":"t"}`, `{"CollectionId":"people","UserId":"bob"}`},
		"DeleteUser": {`{"CollectionId":"people","UserId":"bob","ClientRequestToken":"t"}`, `{"CollectionId":"people","UserId":"bob"}`},
		"ListUsers":  {`{"CollectionId":"people","MaxResults":500,"NextToken":"token"}`, `{"CollectionId":"people"}`},
		"AssociateFaces": {
			`{"CollectionId":"people","UserId":"bob","FaceIds":[` + bobID + `],"UserMatchThreshold":60,"ClientRequestToken":"t"}`,
			`{"CollectionId":"people","UserId":"bob","FaceIds":[` + bobID + `]}`,
		},
		"DisassociateFaces": {
			`{"CollectionId":"people","UserId":"bob","FaceIds":[` + bobID + `],"ClientRequestToken":"t"}`,
			`{"CollectionId":"people","UserId":"bob","FaceIds":[` + bobID + `]}`,
		},
		"SearchUsers": {
			`{"CollectionId":"people","UserId":"bob","MaxUsers":7,"UserMatchThreshold":60}`,
			`{"CollectionId":"people","FaceId":` + bobID + `}`,
		},
		"SearchUsersByImage": {
			`{"CollectionId":"people","Image":` + objectImage + `,"MaxUsers":7,"UserMatchThreshold":60,"QualityFilter":"MEDIUM"}`,
			`{"CollectionId":"people","Image":` + bytesImage + `}`,
		},
		"DetectFaces": {`{"Image":` + objectImage + `,"Attributes":["ALL"]}`, `{"Image":` + bytesImage + `,"Attributes":[]}`},
		"CompareFaces": {
			`{"SourceImage":` + objectImage + `,"TargetImage":` + bytesImage + `,"SimilarityThreshold":90,"QualityFilter":"AUTO"}`,
			`{"SourceImage":` + bytesImage + `,"TargetImage":` + bytesImage + `}`,
		},
		"StartFaceSearch": {
			`{"CollectionId":"people","Video":` + clip + `,"ClientRequestToken":"t","FaceMatchThreshold":0,"JobTag":"tag",` +
				`"NotificationChannel":` + channel + `}`,
			`{"CollectionId":"people","Video":` + clip + `}`,
		},
		"GetFaceSearch": {`{"JobId":"job","MaxResults":5000,"NextToken":"token","SortBy":"INDEX"}`, `{"JobId":"job","NextToken":""}`},
		"StartFaceDetection": {
			`{"Video":` + clip + `,"ClientRequestToken":"t","FaceAttributes":"ALL","JobTag":"tag","NotificationChannel":` + channel + `}`,
			`{"Video":` + clip + `}`,
		},
		"GetFaceDetection": {`{"JobId":"job","MaxResults":10,"NextToken":"token"}`, `{"JobId":"job"}`},
		"StartPersonTracking": {
			`{"Video":` + clip + `,"ClientRequestToken":"t","JobTag":"tag","NotificationChannel":` + channel + `}`,
			`{"Video":` + clip + `}`,
		},
		"GetPersonTracking":        {`{"JobId":"job","MaxResults":10,"NextToken":"token","SortBy":"INDEX"}`, `{"JobId":"job"}`},
		"SpotterService.GetJob":    {`{"JobId":"job"}`, `{"JobId":"job"}`},
		"SpotterService.CancelJob": {`{"JobId":"job"}`, `{"JobId":"job"}`},
		"SpotterService.DeleteJob": {`{"JobId":"job"}`, `{"JobId":"job"}`},
		"SpotterService.ListJobs":  {`{"Status":"SUCCEEDED","MaxResults":3,"NextToken":"token"}`, ``},
	}
}

// TestGolden keeps, for every operation, what the service is asked and what the caller is told: where there is something of
// everything, and where there is nothing.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			request, known := requests()[op.name]
			if !known {
				t.Fatal("no request")
			}
			var b strings.Builder
			rich := &recorder{state: service.Succeeded}
			converse(t, &b, op.name, request[0], rich)
			converse(t, &b, op.name, request[1], &recorder{empty: true, state: service.InProgress})
			if strings.HasPrefix(op.name, "Get") {
				converse(t, &b, op.name, request[1], &recorder{state: service.InProgress})
				converse(t, &b, op.name, request[1], &recorder{state: service.Failed})
			}
			golden(t, op.name, b.String())
		})
	}
}

func converse(t *testing.T, b *strings.Builder, name, body string, r *recorder) {
	t.Helper()
	text, err := perform(t, name, body, r)
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", " "); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(b, ">> %s\n-- %s<< %s\n\n", body, r.asked.String(), pretty.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "operations", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestOperationsAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	var got, want []string
	for _, op := range operations() {
		got = append(got, op.name)
		if err := model.Decode(op.name, []byte("5"), op.input()); !errors.As(err, new(*model.SerializationError)) {
			t.Errorf("%s has another input: %v", op.name, err)
		}
	}
	for _, name := range model.Names() {
		if op, _ := model.Lookup(name); op.Supported() {
			want = append(want, name)
		}
	}
	want = append(want, "SpotterService.CancelJob", "SpotterService.DeleteJob", "SpotterService.GetJob", "SpotterService.ListJobs")
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsOfTheServicePass(t *testing.T) {
	t.Parallel()
	wrong := service.Errorf(service.Conflict, "wrong")
	for name, request := range requests() {
		if text, err := perform(t, name, request[0], &recorder{fails: wrong}); !errors.Is(err, wrong) {
			t.Errorf("%s: %s, error %v", name, text, err)
		}
	}
}

func TestRequestsThatTheModelAllows(t *testing.T) {
	t.Parallel()
	const prefix = "Request has invalid parameters: "
	const needs = " needs an S3Object with Bucket and Name"
	other := strings.Replace(arn, "us-east-1", "eu-west-1", 1)
	for _, tc := range []struct {
		name, operation, body string
		kind                  service.Kind
		want                  string
	}{
		{"no image", "DetectFaces", `{"Image":{}}`, service.Invalid, prefix + "image needs either Bytes or S3Object"},
		{
			"two images", "DetectFaces", `{"Image":{"Bytes":"AA==","S3Object":{}}}`, service.Invalid,
			prefix + "image needs either Bytes or S3Object",
		},
		{
			"no bucket", "CompareFaces", `{"SourceImage":` + bytesImage + `,"TargetImage":{"S3Object":{"Name":"n"}}}`, service.Invalid,
			prefix + "targetImage" + needs,
		},
		{"no name", "IndexFaces", `{"CollectionId":"c","Image":{"S3Object":{"Bucket":"bbb"}}}`, service.Invalid, prefix + "image" + needs},
		{"no video", "StartFaceDetection", `{"Video":{}}`, service.Invalid, prefix + "video" + needs},
		{
			"neither user nor face", "SearchUsers", `{"CollectionId":"c"}`, service.Invalid,
			prefix + "exactly one of UserId and FaceId is needed",
		},
		{
			"both", "SearchUsers", `{"CollectionId":"c","UserId":"u","FaceId":` + bobID + `}`, service.Invalid,
			prefix + "exactly one of UserId and FaceId is needed",
		},
		{
			"no ARN", "ListTagsForResource", `{"ResourceArn":"a collection of mine"}`, service.Invalid,
			prefix + "a collection of mine is not the ARN of a collection",
		},
		{
			"of something else", "TagResource", `{"Tags":{},"ResourceArn":"arn:aws:rekognition:us-east-1:000000000000:project/p"}`,
			service.Invalid, prefix + "arn:aws:rekognition:us-east-1:000000000000:project/p is not the ARN of a collection",
		},
		{
			"of another region", "UntagResource", `{"TagKeys":[],"ResourceArn":` + other + `}`, service.NotFound,
			"The resource " + strings.Trim(other, `"`) + " does not exist; collections here are called as in " + strings.Trim(arn, `"`),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			_, err := perform(t, tc.operation, tc.body, r)
			if err == nil || service.KindOf(err) != tc.kind || err.Error() != tc.want {
				t.Errorf("error of kind %d %v\n want %d %s", service.KindOf(err), err, tc.kind, tc.want)
			}
			if r.asked.Len() > 0 {
				t.Errorf("the service was asked: %s", r.asked.String())
			}
		})
	}
}

func TestWhatRequestsAreAbout(t *testing.T) {
	t.Parallel()
	about := map[string]string{}
	for _, op := range operations() {
		in := op.input()
		if err := model.Decode(op.name, []byte(requests()[op.name][0]), in); err != nil {
			t.Fatal(err)
		}
		if op.collection != nil {
			about[op.name] = op.collection(in)
		}
		if op.pass != nil {
			about[op.name] += " passes " + op.pass(in)
		}
	}
	const passes = " passes arn:aws:iam::000000000000:role/r"
	want := map[string]string{"StartFaceDetection": passes, "StartPersonTracking": passes}
	for _, name := range []string{
		"DescribeCollection", "DeleteCollection", "TagResource", "UntagResource", "ListTagsForResource",
		"IndexFaces", "ListFaces", "DeleteFaces", "SearchFaces", "SearchFacesByImage", "CreateUser", "DeleteUser", "ListUsers",
		"AssociateFaces", "DisassociateFaces", "SearchUsers", "SearchUsersByImage", "StartFaceSearch",
	} {
		want[name] = "people"
	}
	want["StartFaceSearch"] += passes
	if diff := cmp.Diff(want, about); diff != "" {
		t.Error(diff)
	}
}

func TestAttributesThatAreAskedFor(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ asked, want string }{
		{`["DEFAULT"]`, "BoundingBox Confidence Landmarks:5 Pose Quality"},
		{`["GENDER"]`, "BoundingBox Confidence Gender Landmarks:5 Pose Quality"},
		{`["AGE_RANGE","DEFAULT","EYES_OPEN"]`, "AgeRange BoundingBox Confidence EyesOpen Landmarks:5 Pose Quality"},
		{`["SMILE","MOUTH_OPEN","EMOTIONS"]`, "BoundingBox Confidence Emotions Landmarks:5 MouthOpen Pose Quality Smile"},
		{
			`["BEARD","EYE_DIRECTION","FACE_OCCLUDED","MUSTACHE","SUNGLASSES","EYEGLASSES"]`,
			"BoundingBox Confidence Landmarks:5 Pose Quality",
		},
		{`["DEFAULT","ALL"]`, "AgeRange BoundingBox Confidence Emotions EyesOpen Gender Landmarks:28 MouthOpen Pose Quality Smile"},
	} {
		text, err := perform(t, "DetectFaces", `{"Image":`+bytesImage+`,"Attributes":`+tc.asked+`}`, &recorder{})
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ FaceDetails []map[string]json.RawMessage }
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		var names []string
		for name, value := range got.FaceDetails[0] {
			if name == "Landmarks" {
				name = fmt.Sprintf("%s:%d", name, strings.Count(string(value), "Type"))
			}
			names = append(names, name)
		}
		slices.Sort(names)
		if list := strings.Join(names, " "); list != tc.want {
			t.Errorf("%s: %s, want %s", tc.asked, list, tc.want)
		}
	}
}

// TestNeutralAttributes: what is asked for and not known is as likely as not, what is known stays as it is, and what is not
// asked for is not there.
func TestNeutralAttributes(t *testing.T) {
	t.Parallel()
	known := seen()
	known.Attributes.Smile = nil
	all := traits{asked: []model.Attribute{model.AttributeAll}, neutral: true}.detail(&known)
	for name, trait := range map[string]struct {
		value      *bool
		confidence *float32
	}{
		"Smile":        {all.Smile.Value, all.Smile.Confidence},
		"Eyeglasses":   {all.Eyeglasses.Value, all.Eyeglasses.Confidence},
		"Sunglasses":   {all.Sunglasses.Value, all.Sunglasses.Confidence},
		"Beard":        {all.Beard.Value, all.Beard.Confidence},
		"Mustache":     {all.Mustache.Value, all.Mustache.Confidence},
		"FaceOccluded": {all.FaceOccluded.Value, all.FaceOccluded.Confidence},
	} {
		if *trait.value || *trait.confidence != 50 {
			t.Errorf("%s is %v with %v", name, *trait.value, *trait.confidence)
		}
	}
	if d := all.EyeDirection; *d.Yaw != 0 || *d.Pitch != 0 || *d.Confidence != 50 {
		t.Errorf("the eyes look to %v, %v with %v", *d.Yaw, *d.Pitch, *d.Confidence)
	}
	if !*all.EyesOpen.Value || *all.EyesOpen.Confidence != 99 {
		t.Errorf("the eyes are open: %v with %v", *all.EyesOpen.Value, *all.EyesOpen.Confidence)
	}
	some := traits{asked: []model.Attribute{model.AttributeBeard}, neutral: true}.detail(&service.Detail{})
	if some.Beard == nil || some.Mustache != nil || some.Smile != nil || some.EyeDirection != nil {
		t.Errorf("asked for the beard: %+v", some)
	}
}

// TestAnswersKeepToTheirShapes: whatever a model pack makes of a face, the answer is one that the service model allows.
func TestAnswersKeepToTheirShapes(t *testing.T) {
	t.Parallel()
	odd := rapid.OneOf(
		rapid.Float32(), rapid.SampledFrom([]float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), -0.001, 100.01}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		d := seen()
		for _, x := range []*float32{
			&d.Box.Left, &d.Box.Top, &d.Box.Width, &d.Box.Height, &d.Confidence, &d.Pose.Roll, &d.Pose.Yaw, &d.Pose.Pitch,
			&d.Quality.Brightness, &d.Quality.Sharpness, &d.Landmarks[2].X, &d.Attributes.Gender.Confidence,
			&d.Attributes.Smile.Confidence, &d.Attributes.Emotions[1].Confidence, &d.Attributes.Further[0].Y,
		} {
			*x = odd.Draw(rt, "number")
		}
		d.Attributes.Age = &face.AgeRange{Low: rapid.Int().Draw(rt, "low"), High: rapid.Int().Draw(rt, "high")}
		r := &recorder{detail: &d, state: service.Succeeded}
		for _, name := range []string{"DetectFaces", "IndexFaces", "SearchFacesByImage", "CompareFaces", "GetFaceSearch", "GetFaceDetection"} {
			if _, err := perform(t, name, requests()[name][0], r); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// FuzzOperations: whatever the body, an operation answers within its shape or with an error that the caller is told of.
func FuzzOperations(f *testing.F) {
	ops := operations()
	for i, op := range ops {
		f.Add(byte(i), requests()[op.name][0])
		f.Add(byte(i), requests()[op.name][1])
	}
	f.Fuzz(func(t *testing.T, which byte, body string) {
		name := ops[int(which)%len(ops)].name
		_, err := perform(t, name, body, &recorder{state: service.Succeeded})
		told := errors.As(err, new(*model.SerializationError)) || errors.As(err, new(*model.ValidationError))
		if err != nil && !told && service.KindOf(err) == service.Internal {
			t.Fatal(err)
		}
	})
}

func TestCheckOutput(t *testing.T) {
	t.Parallel()
	if err := CheckOutput("SpotterService.ListJobs", []byte(`{"Jobs":[{"Status":"SUCCEEDED","Segments":0}]}`)); err != nil {
		t.Error(err)
	}
	if err := CheckOutput("GetFaceSearch", []byte(`{"Persons":null}`)); err == nil {
		t.Error("a null passed")
	}
}
