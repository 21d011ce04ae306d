package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
)

// maxRequest is how long a request may be: a message of 256 KiB, and what is around it.
const maxRequest = 1 << 20

// bothProtocols puts requests of the JSON protocol of SQS into those of the query protocol, and the answers back.
func bothProtocols(query http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action, isJSON := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
		if !isJSON {
			query.ServeHTTP(w, r)
			return
		}
		var parameters map[string]any
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&parameters); err != nil {
			answer(w, http.StatusBadRequest, map[string]any{"__type": "SerializationException", "message": err.Error()})
			return
		}
		form := formOf(parameters)
		form.Set("Action", action)
		inner, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "/", strings.NewReader(form.Encode()))
		if err != nil {
			answer(w, http.StatusInternalServerError, map[string]any{"__type": "InternalError", "message": err.Error()})
			return
		}
		inner.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		recorded := httptest.NewRecorder()
		query.ServeHTTP(recorded, inner)
		if recorded.Code != http.StatusOK {
			answer(w, recorded.Code, failureOf(recorded.Body.Bytes()))
			return
		}
		answer(w, http.StatusOK, resultOf(recorded.Body.Bytes()))
	})
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}

// formOf writes lists and maps as the query protocol has them: AttributeName.1, Attribute.1.Name and Attribute.1.Value.
func formOf(parameters map[string]any) url.Values {
	form := url.Values{}
	for name, value := range parameters {
		one := strings.TrimSuffix(name, "s")
		switch v := value.(type) {
		case []any:
			for i, item := range v {
				form.Set(fmt.Sprintf("%s.%d", one, i+1), fmt.Sprint(item))
			}
		case map[string]any:
			i := 0
			for key, item := range v {
				i++
				form.Set(fmt.Sprintf("%s.%d.Name", one, i), key)
				form.Set(fmt.Sprintf("%s.%d.Value", one, i), fmt.Sprint(item))
			}
		default:
			form.Set(name, fmt.Sprint(v))
		}
	}
	return form
}

// attributes are names with values.
type attributes []struct {
	Name  string `xml:"Name"`
	Value string `xml:"Value"`
}

func (a attributes) object() map[string]string {
	object := map[string]string{}
	for _, one := range a {
		object[one.Name] = one.Value
	}
	return object
}

// result is what the results of all actions have.
type result struct {
	QueueURL   string     `xml:"QueueUrl"`
	Attributes attributes `xml:"Attribute"`
	Messages   []struct {
		ID         string     `xml:"MessageId"`
		Receipt    string     `xml:"ReceiptHandle"`
		MD5        string     `xml:"MD5OfBody"`
		Body       string     `xml:"Body"`
		Attributes attributes `xml:"Attribute"`
	} `xml:"Message"`
}

func resultOf(document []byte) map[string]any {
	var response struct {
		Parts []result `xml:",any"` // the result, if there is one, and metadata
	}
	object := map[string]any{}
	if err := xml.Unmarshal(document, &response); err != nil || len(response.Parts) == 0 {
		return object
	}
	r := response.Parts[0]
	if r.QueueURL != "" {
		object["QueueUrl"] = r.QueueURL
	}
	if len(r.Attributes) > 0 {
		object["Attributes"] = r.Attributes.object()
	}
	var messages []any
	for _, m := range r.Messages {
		messages = append(messages, map[string]any{
			"MessageId": m.ID, "ReceiptHandle": m.Receipt, "MD5OfBody": m.MD5, "Body": m.Body, "Attributes": m.Attributes.object(),
		})
	}
	if len(messages) > 0 {
		object["Messages"] = messages
	}
	return object
}

func failureOf(document []byte) map[string]any {
	var response struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	if err := xml.Unmarshal(document, &response); err != nil {
		response.Code, response.Message = "InvalidAction", strings.TrimSpace(string(document))
	}
	return map[string]any{"__type": "com.amazonaws.sqs#" + response.Code, "message": response.Message}
}
