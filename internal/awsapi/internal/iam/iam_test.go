package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/awsapi/internal/iam"
)

const (
	staff   = "arn:aws:rekognition:us-east-1:000000000000:collection/staff"
	wanted  = "arn:aws:rekognition:us-east-1:000000000000:collection/wanted"
	version = `"Version":"2012-10-17"`
)

func document(statements ...string) string {
	return "{" + version + `,"Statement":[` + strings.Join(statements, ",") + "]}"
}

func allow(action, resource string) string { return statement("Allow", action, resource) }
func deny(action, resource string) string  { return statement("Deny", action, resource) }

func statement(effect, action, resource string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q}`, effect, action, resource)
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document, action, resource string
		want                       iam.Decision
	}{
		"administrator":        {iam.Administrator(), "rekognition:DeleteCollection", staff, iam.Allowed},
		"administrator, other": {iam.Administrator(), "spotter:ListJobs", "*", iam.Allowed},
		"exact":                {document(allow("rekognition:SearchFaces", staff)), "rekognition:SearchFaces", staff, iam.Allowed},
		"nobody said so":       {document(allow("rekognition:SearchFaces", staff)), "rekognition:IndexFaces", staff, iam.Unmentioned},
		"another collection":   {document(allow("rekognition:*", staff)), "rekognition:SearchFaces", wanted, iam.Unmentioned},
		"another service":      {document(allow("rekognition:*", "*")), "spotter:ListJobs", "*", iam.Unmentioned},
		"action of any case":   {document(allow("Rekognition:searchFACES", "*")), "rekognition:SearchFaces", staff, iam.Allowed},
		"other case of resource": {
			document(allow("rekognition:*", strings.Replace(staff, "staff", "Staff", 1))), "rekognition:SearchFaces", staff,
			iam.Unmentioned,
		},
		"wildcards": {
			document(allow("rekognition:Search*", "arn:aws:rekognition:*:*:collection/st?ff")), "rekognition:SearchFacesByImage",
			staff, iam.Allowed,
		},
		"? is one character": {
			document(allow("*", "arn:aws:rekognition:*:*:collection/staff?")), "rekognition:SearchFaces", staff, iam.Unmentioned,
		},
		"no resource of its own": {document(allow("rekognition:ListCollections", staff)), "rekognition:ListCollections", "*", iam.Unmentioned},
		"denied before": {
			document(deny("rekognition:*", wanted), allow("*", "*")), "rekognition:SearchFaces", wanted, iam.Denied,
		},
		"denied after": {
			document(allow("*", "*"), deny("rekognition:Delete*", "*")), "rekognition:DeleteFaces", staff, iam.Denied,
		},
		"denied elsewhere": {
			document(allow("*", "*"), deny("rekognition:*", wanted)), "rekognition:SearchFaces", staff, iam.Allowed,
		},
		"one of several": {
			document(`{"Effect":"Allow","Action":["a:B","rekognition:SearchFaces"],"Resource":["` + wanted + `","` + staff + `"]}`),
			"rekognition:SearchFaces", staff, iam.Allowed,
		},
		"statement alone": {
			"{" + version + `,"Statement":` + allow("rekognition:SearchFaces", staff) + "}", "rekognition:SearchFaces", staff,
			iam.Allowed,
		},
		"not action": {
			document(`{"Effect":"Allow","NotAction":["rekognition:Delete*","rekognition:Create*"],"Resource":"*"}`),
			"rekognition:SearchFaces", staff, iam.Allowed,
		},
		"not action, named": {
			document(`{"Effect":"Allow","NotAction":["rekognition:Delete*","rekognition:Create*"],"Resource":"*"}`),
			"rekognition:CREATEUser", staff, iam.Unmentioned,
		},
		"not resource": {
			document(allow("*", "*"), `{"Effect":"Deny","Action":"*","NotResource":"`+staff+`"}`),
			"rekognition:SearchFaces", wanted, iam.Denied,
		},
		"not resource, named": {
			document(allow("*", "*"), `{"Effect":"Deny","Action":"*","NotResource":"`+staff+`"}`),
			"rekognition:SearchFaces", staff, iam.Allowed,
		},
		"with everything that may be there": {
			`{"Id":"x",` + version + `,"Statement":[{"Sid":"A1","Effect":"Allow","Action":"*","Resource":"*"},` +
				`{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}]}`,
			"rekognition:SearchFaces", staff, iam.Allowed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := iam.Parse(c.document)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Decide(c.action, c.resource); got != c.want {
				t.Errorf("got %d, want %d, for %s", got, c.want, c.document)
			}
		})
	}
}

func TestEverything(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string
		want     bool
	}{
		"administrator":  {iam.Administrator(), true},
		"among others":   {document(allow("a:b", staff), `{"Effect":"Allow","Action":["a:b","*"],"Resource":["*",`+fmt.Sprintf("%q", staff)+`]}`), true},
		"some actions":   {document(allow("rekognition:*", "*")), false},
		"some resources": {document(allow("*", staff)), false},
		"in two halves":  {document(allow("*", staff), allow("a:b", "*")), false},
		"but":            {document(allow("*", "*"), deny("a:b", "*")), false},
		"not":            {document(`{"Effect":"Allow","NotAction":"*","Resource":"*"}`), false},
		"not resource":   {document(`{"Effect":"Allow","Action":"*","NotResource":"*"}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := iam.Parse(c.document)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Everything(); got != c.want {
				t.Errorf("got %v for %s", got, c.document)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	with := func(members string) string {
		return document("{" + members + "}")
	}
	const rest = `"Action":"*","Resource":"*"`
	for name, c := range map[string]struct{ document, want string }{
		"nothing":            {"", "not JSON"},
		"no JSON":            {"{" + version, "not JSON"},
		"not UTF-8":          {"{\"\xff\":1}", "not UTF-8"},
		"two documents":      {iam.Administrator() + iam.Administrator(), "not JSON"},
		"list":               {"[]", "object in braces"},
		"null":               {"null", "object in braces"},
		"too long":           {strings.Repeat(" ", 10241), "at most 10240"},
		"no version":         {`{"Statement":[]}`, `write "Version": "2012-10-17"`},
		"newer version":      {`{"Version":"2030-01-01","Statement":[]}`, "2030-01-01"},
		"version in numbers": {`{"Version":2012,"Statement":[]}`, "must be a string"},
		"no statement":       {"{" + version + "}", "Statement is missing"},
		"empty statements":   {document(), "empty list"},
		"statement of text":  {document(`"x"`), "object in braces"},
		"statement of null":  {`{"Version":"2012-10-17","Statement":null}`, "object in braces"},
		"many statements":    {document(strings.Split(strings.Repeat("{},", 251)+"{}", ",")...), "at most 250"},
		"version twice":      {"{" + version + "," + version + "}", `"Version" is there twice`},
		"effect twice":       {with(`"Effect":"Allow","Effect":"Deny",` + rest), `"Effect" is there twice`},
		"effect in another case": {
			with(`"effect":"Allow",` + rest), `"effect" is not known; write "Effect"`,
		},
		"unknown element":   {with(`"Effect":"Allow","Actions":"*","Resource":"*"`), `"Actions" is not known; there may be`},
		"no effect":         {with(rest), "Effect is missing"},
		"odd effect":        {with(`"Effect":"allow",` + rest), `write "Allow" or "Deny"`},
		"null effect":       {with(`"Effect":null,` + rest), "Effect must be a string and not null"},
		"no action":         {with(`"Effect":"Allow","Resource":"*"`), "either Action or NotAction"},
		"action and not":    {with(`"Effect":"Allow","NotAction":"*",` + rest), "either Action or NotAction"},
		"no resource":       {with(`"Effect":"Allow","Action":"*"`), "either Resource or NotResource"},
		"no actions":        {with(`"Effect":"Allow","Action":[],"Resource":"*"`), "empty list"},
		"action of numbers": {with(`"Effect":"Allow","Action":[1],"Resource":"*"`), "must be a string"},
		"action bare":       {with(`"Effect":"Allow","Action":"SearchFaces","Resource":"*"`), `"SearchFaces" is no action`},
		"action of any":     {with(`"Effect":"Allow","Action":"*:*","Resource":"*"`), "is no action"},
		"resource bare":     {with(`"Effect":"Allow","Action":"*","Resource":"staff"`), `"staff" is no resource`},
		"resource short":    {with(`"Effect":"Allow","Action":"*","Resource":"arn:aws:rekognition:*"`), "is no resource"},
		"variable":          {with(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}/*"`), "policy variable"},
		"condition":         {with(`"Effect":"Allow",` + rest + `,"Condition":{}`), "Condition is not supported"},
		"principal":         {with(`"Effect":"Allow",` + rest + `,"Principal":"*"`), "Principal is not supported"},
		"odd sid":           {with(`"Sid":"a b","Effect":"Allow",` + rest), "letters and digits"},
		"id of numbers":     {`{"Id":1,` + version + `,"Statement":[]}`, "Id must be a string"},
		"sid twice": {
			document(`{"Sid":"A","Effect":"Allow",`+rest+`}`, `{"Sid":"A","Effect":"Allow",`+rest+`}`), "statement 2: the Sid",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := iam.Parse(c.document)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string
		want     bool
	}{
		"everything":    {iam.Administrator(), false},
		"other service": {document(allow("rekognition:*", "*")), false},
		"allowed":       {document(allow("rekognition:*", "*"), allow("S3:GetObject", "arn:aws:s3:::media/*")), true},
		"denied":        {document(deny("s3:*", "*")), true},
		"similar":       {document(allow("s3express:*", "*")), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := iam.Parse(c.document)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Names("s3"); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(iam.Administrator(), "rekognition:SearchFaces", staff)
	f.Add(document(allow("rekognition:Search*", staff), deny("s3:*", "*")), "s3:GetObject", "*")
	f.Add(document(`{"Sid":"a","Effect":"Allow","NotAction":["a:b"],"NotResource":["*"]}`), "a:b", "")
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":[null],"Resource":{}}}`, "", "")
	f.Fuzz(func(t *testing.T, document, action, resource string) {
		p, err := iam.Parse(document)
		if err != nil {
			return
		}
		if len(document) > 10240 {
			t.Error("a document that is too long was read")
		}
		first := p.Decide(action, resource)
		if p.Decide(strings.ToUpper(action), resource) != first && isASCII(action) {
			t.Error("the case of an action matters")
		}
		if !strings.Contains(document, "llow") && first == iam.Allowed && !strings.Contains(document, `\u`) {
			t.Error("allowed without a statement that allows")
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}
