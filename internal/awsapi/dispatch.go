package awsapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
)

const (
	// rekognitionPrefix and beyondPrefix stand before an operation's name in X-Amz-Target: AWS's own, and that of what
	// there is beyond it.
	rekognitionPrefix = "RekognitionService."
	beyondPrefix      = "SpotterService."
	// rekognitionService is what signatures are scoped to.
	rekognitionService = "rekognition"
)

// table finds operations by their whole target.
type table map[string]*operation

func newTable(ops []operation) (table, error) {
	t := make(table, len(ops))
	for i := range ops {
		target := targetOf(ops[i].name)
		if t[target] != nil {
			return nil, fmt.Errorf("operation %s is defined twice", target)
		}
		t[target] = &ops[i]
	}
	return t, nil
}

// targetOf is what X-Amz-Target says for an operation of the name.
func targetOf(name string) string {
	if strings.HasPrefix(name, beyondPrefix) {
		return name
	}
	return rekognitionPrefix + name
}

// find is the operation of a target, or the failure that says why there is none.
func (t table) find(target string) (*operation, error) {
	if op := t[target]; op != nil {
		return op, nil
	}
	if name, ok := strings.CutPrefix(target, rekognitionPrefix); ok && modelled(name) {
		return nil, unsupported(name)
	}
	return nil, frontEnd("UnknownOperationException", http.StatusBadRequest,
		"X-Amz-Target must name an operation, as in %sDetectFaces", rekognitionPrefix)
}

// label is a target for metrics: one of a list that strangers cannot make longer.
func (t table) label(target string) string {
	if op := t[target]; op != nil {
		return op.name
	}
	if name, ok := strings.CutPrefix(target, rekognitionPrefix); ok && modelled(name) {
		return name
	}
	return "unknown"
}

func modelled(name string) bool {
	_, known := model.Lookup(name)
	return known && !strings.Contains(name, ".")
}

// unsupported is the answer to an operation that Rekognition has and Spotter has not. It is none of the exceptions that the
// operation declares: applications catch an InvalidParameterException as "there is no face". No SDK tries again.
func unsupported(name string) error {
	return frontEnd("UnknownOperationException", http.StatusBadRequest, "Spotter does not support %s. It keeps collections of "+
		"faces and users, detects, compares and searches faces in images, and detects, searches and tracks faces in stored videos.",
		name)
}
