package awsapi

import (
	"reflect"
	"time"
)

// Entry is a line of the audit log: what somebody asked for and what they were answered, without pictures, faces or
// embeddings. There is one for every request whose signature was good.
type Entry struct {
	// Time is when the request came in, RequestID what the answer calls it.
	Time      time.Time
	RequestID string
	// Key is the access key's id, empty where signatures are not checked; Name is the ARN of its holder; Source is the
	// address that the request came from.
	Key, Name, Source string
	// Operation is the operation's name, and "unknown" where there is none such.
	Operation string
	// Collection, User and Job are the ids of what the request was about, or what it made; empty where there is none.
	Collection, User, Job string
	// Role is the ARN of the role that was to be taken on.
	Role string
	// Objects are the ones that were to be read, as s3://bucket/key.
	Objects []string
	// Code is "OK", the name of the exception that was the answer, or "Aborted" if nobody waited for one.
	Code string
}

// about notes what a request is about.
func (e *Entry) about(op *operation, in any) {
	e.Collection, e.User, e.Job = member(in, "CollectionId"), member(in, "UserId"), member(in, "JobId")
	if e.Collection == "" && op.collection != nil {
		e.Collection = op.collection(in)
	}
	for _, o := range objects(in) {
		e.Objects = append(e.Objects, "s3://"+o.Bucket+"/"+o.Name)
	}
}

// made notes what an answer gives a name to.
func (e *Entry) made(out any) {
	if e.Job == "" {
		e.Job = member(out, "JobId")
	}
}

// member is the string of that name in a shape; empty if there is none.
func member(shape any, name string) string {
	v := reflect.Indirect(reflect.ValueOf(shape))
	if v.Kind() != reflect.Struct {
		return ""
	}
	if field := v.FieldByName(name); field.Kind() == reflect.String {
		return field.String()
	}
	return ""
}
