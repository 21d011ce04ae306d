package awsapi

import (
	"net/http"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/internal/awsapi/internal/iam"
	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

// need is something that a policy must allow for a request.
type need struct{ action, resource string }

// authorize says whether a policy allows a request, before anything is looked up, so that what may not be asked for cannot
// be found out to exist either.
//
// An action is "rekognition:" and the operation's name, or "spotter:" for those beyond AWS. The resource is the ARN of the
// collection that the request is about, and "*" for operations that are about none.
//
// What Rekognition does with the caller's rights at other services is asked for only where a policy names that service:
// s3:GetObject on the objects to be read (s3:GetObjectVersion if a version is named), and iam:PassRole on the role of a
// notification channel. Policies that were written for Rekognition alone would otherwise allow no image of a bucket, whereas
// one that restricts buckets means it.
func (d *Door) authorize(who *identity, op *operation, in any) error {
	for _, n := range d.needs(who.rights, op, in) {
		if decision := who.rights.decide(n.action, n.resource); decision != iam.Allowed {
			return accessDenied(who, n, decision)
		}
	}
	named := who.rights.names("s3")
	for _, n := range reading(objects(in)) {
		// "Deny *" on a bucket names no service by its actions, and means it all the same.
		if d := who.rights.decide(n.action, n.resource); d == iam.Denied || named && d != iam.Allowed {
			// AWS does not tell an object that may not be read from one that is not there.
			return (&failure{
				exception: "InvalidS3ObjectException", status: http.StatusBadRequest, modelled: true,
				message: "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
			}).declaredBy(op)
		}
	}
	return nil
}

func (d *Door) needs(r rights, op *operation, in any) []need {
	needs := []need{{action(op), d.resource(op, in)}}
	if create, ok := in.(*model.CreateCollectionRequest); ok && len(create.Tags) > 0 {
		needs = append(needs, need{"rekognition:TagResource", d.collectionARN(service.CollectionID(create.CollectionId))})
	}
	if op.pass != nil && r.names("iam") {
		if role := op.pass(in); role != "" {
			needs = append(needs, need{"iam:PassRole", role})
		}
	}
	return needs
}

func action(op *operation) string {
	if beyond, ok := strings.CutPrefix(op.name, beyondPrefix); ok {
		return "spotter:" + beyond
	}
	return "rekognition:" + op.name
}

// resource is what a policy calls the thing that a request is about.
func (d *Door) resource(op *operation, in any) string {
	if op.collection == nil {
		return "*"
	}
	id := op.collection(in)
	if id == "" {
		return "*"
	}
	return d.collectionARN(service.CollectionID(id))
}

func (d *Door) collectionARN(id service.CollectionID) string {
	return "arn:aws:rekognition:" + d.cfg.Region + ":" + d.cfg.Account + ":collection/" + string(id)
}

// accessDenied is in AWS's words for either way of not being allowed.
func accessDenied(who *identity, n need, decision iam.Decision) *failure {
	why := "because no identity-based policy allows the " + n.action + " action"
	if decision == iam.Denied {
		why = "with an explicit deny in an identity-based policy"
	}
	return &failure{
		exception: "AccessDeniedException", status: http.StatusBadRequest, modelled: true,
		message: "User: " + who.caller.Name + " is not authorized to perform: " + n.action +
			" on resource: " + n.resource + " " + why,
	}
}

// reading is what objects need to be read. A name like "open/../closed" must be allowed as it is and as a path would be: the
// bucket's server, or a proxy before it, may tidy it up.
func reading(list []*model.S3Object) []need {
	var needs []need
	for _, o := range list {
		action := "s3:GetObject"
		if o.Version != "" {
			action = "s3:GetObjectVersion"
		}
		resolved := new(url.URL).ResolveReference(&url.URL{Path: "/" + o.Name}).Path // which leaves doubled slashes
		names := []string{o.Name}
		for _, tidy := range []string{path.Clean("/" + o.Name), resolved} {
			if tidy = strings.TrimPrefix(tidy, "/"); !slices.Contains(names, tidy) {
				names = append(names, tidy)
			}
		}
		for _, name := range names {
			needs = append(needs, need{action, "arn:aws:s3:::" + o.Bucket + "/" + name})
		}
	}
	return needs
}

// objects are all objects of buckets that an input names, wherever in it.
func objects(in any) []*model.S3Object {
	var found []*model.S3Object
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return
		}
		if o, ok := reflect.TypeAssert[*model.S3Object](v); ok {
			found = append(found, o)
			return
		}
		for _, field := range v.Elem().Fields() {
			walk(field)
		}
	}
	walk(reflect.ValueOf(in))
	return found
}
