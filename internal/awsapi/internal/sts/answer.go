package sts

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"time"
)

const (
	namespace  = "https://sts.amazonaws.com/doc/2011-06-15/"
	badRequest = http.StatusBadRequest
	// ContentType is that of all answers.
	ContentType = "text/xml"
)

// Credentials are temporary ones.
type Credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// Answer is what an action gives. Members that it does not have are left out.
type Answer struct {
	Credentials *Credentials
	// AssumedRole is who the credentials make of the caller.
	AssumedRole *AssumedRole `xml:"AssumedRoleUser"`
	// SubjectFromWebIdentityToken, Audience and Provider say whose token it was.
	SubjectFromWebIdentityToken string `xml:",omitempty"`
	Audience                    string `xml:",omitempty"`
	Provider                    string `xml:",omitempty"`
	// ARN, UserID and Account are of the caller.
	ARN     string `xml:"Arn,omitempty"`
	UserID  string `xml:"UserId,omitempty"`
	Account string `xml:",omitempty"`
}

// AssumedRole is a session of a role.
type AssumedRole struct {
	ID  string `xml:"AssumedRoleId"`
	ARN string `xml:"Arn"`
}

// Encode is the answer to a request of this action and number.
func Encode(action, requestID string, a *Answer) ([]byte, error) {
	type metadata struct {
		RequestID string `xml:"RequestId"`
	}
	response := struct {
		XMLName   xml.Name
		Namespace string `xml:"xmlns,attr"` // as an attribute, so that the elements below do not say that they have none
		Result    struct {
			XMLName xml.Name
			Answer
		}
		Metadata metadata `xml:"ResponseMetadata"`
	}{XMLName: xml.Name{Local: action + "Response"}, Namespace: namespace, Metadata: metadata{requestID}}
	response.Result.XMLName, response.Result.Answer = xml.Name{Local: action + "Result"}, *a
	out, err := xml.Marshal(response)
	if err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return out, nil
}

// Error is an answer that is no success. Its message is for the caller.
type Error struct {
	Code    string
	Status  int
	Message string
}

// Error is the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Encode is the error as the answer to the request of this number.
func (e *Error) Encode(requestID string) ([]byte, error) {
	fault := "Sender"
	if e.Status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	type details struct{ Type, Code, Message string }
	return xml.Marshal(struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Error     details
		RequestID string `xml:"RequestId"`
	}{Error: details{fault, e.Code, e.Message}, RequestID: requestID})
}

func malformed(format string, args ...any) *Error {
	return &Error{Code: "MalformedInput", Status: badRequest, Message: fmt.Sprintf(format, args...)}
}

func invalidAction(action, version string) *Error {
	return &Error{
		Code: "InvalidAction", Status: badRequest,
		Message: fmt.Sprintf("Could not find operation %s for version %s", clip(action), clip(version)),
	}
}

func invalid(member, must string, args ...any) *Error {
	return &Error{
		Code: "ValidationError", Status: badRequest,
		Message: "1 validation error detected: Value at '" + member + "' failed to satisfy constraint: Member must " + fmt.Sprintf(must, args...),
	}
}
