package awsapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

// TestOperationsThroughTheSDK drives every operation of AWS's by the official client, over HTTP and signed: the client's own
// serialiser has to make the request that the service is asked, and its deserialiser has to find every value of the answer.
// The SDK's structs have the names of the wire, so that one loop serves all.
func TestOperationsThroughTheSDK(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		if strings.HasPrefix(op.name, beyondPrefix) {
			continue // no SDK has them
		}
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			request, direct := requests()[op.name][0], &recorder{state: service.Succeeded}
			want, err := perform(t, op.name, request, direct)
			if err != nil {
				t.Fatal(err)
			}
			served := &recorder{state: service.Succeeded}
			b := newBench(t, func(c *Config) { c.Service = served }, operations()...)
			got := throughSDK(t, b, op.name, request)
			// The caller is another one here.
			if diff := cmp.Diff(withoutCaller(direct.asked.String()), withoutCaller(served.asked.String())); diff != "" {
				t.Errorf("asked: %s", diff)
			}
			if diff := cmp.Diff(plain(t, want), plain(t, got)); diff != "" {
				t.Errorf("answered: %s", diff)
			}
		})
	}
}

// throughSDK calls the client's method of a name.
func throughSDK(t *testing.T, b *bench, name, request string) []byte {
	t.Helper()
	method := reflect.ValueOf(b.client()).MethodByName(name)
	in := reflect.New(method.Type().In(1).Elem())
	if err := json.Unmarshal([]byte(request), in.Interface()); err != nil {
		t.Fatal(err)
	}
	out := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	if err, failed := reflect.TypeAssert[error](out[1]); failed {
		t.Fatal(err)
	}
	text, err := json.Marshal(out[0].Interface())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func withoutCaller(asked string) string {
	before, _, _ := strings.Cut(asked, `,"Caller"`)
	return before
}

// plain is an answer without what only one of the two forms has: nulls, empty strings and the SDK's own metadata. Times are
// epoch seconds.
func plain(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return strip(v)
}

func strip(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "ResultMetadata")
		for name, inner := range v {
			if inner == nil || inner == "" && name != "empty" { // the tag of the recorder that has no value
				delete(v, name)
				continue
			}
			v[name] = strip(inner)
			if at, err := time.Parse(time.RFC3339Nano, toString(inner)); err == nil {
				v[name] = float64(*model.Epoch(at))
			}
		}
	case []any:
		for i := range v {
			v[i] = strip(v[i])
		}
	}
	return v
}

func toString(v any) string {
	s, _ := v.(string)
	return s
}
