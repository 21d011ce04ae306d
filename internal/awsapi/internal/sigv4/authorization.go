package sigv4

import (
	"slices"
	"strings"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	// terminator ends every credential scope.
	terminator = "aws4_request"
	// maxAuthorization is generous: what the SDKs send is some 300 bytes long, of which the names of the signed headers are
	// the only part that grows.
	maxAuthorization = 4096
	// maxKeyID is IAM's own limit for the id of an access key; maxRegion that of a DNS label, which a region is.
	maxKeyID  = 128
	maxRegion = 63
)

// authorization is the Authorization header in its parts.
type authorization struct {
	keyID, date, region, service string
	// signed are the names of the signed headers: lower case, ascending, each once.
	signed    []string
	signature string
}

// parseAuthorization reads one Authorization header: the algorithm, then Credential, SignedHeaders and Signature in any
// order, each once.
func parseAuthorization(header string) (*authorization, *Error) {
	if len(header) > maxAuthorization {
		return nil, incomplete("Authorization header is longer than %d bytes.", maxAuthorization)
	}
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return nil, incomplete("Authorization header requires the algorithm '%s'.", algorithm)
	}
	parts, refusal := parameters(rest)
	if refusal != nil {
		return nil, refusal
	}
	a := &authorization{signature: parts["Signature"]}
	if refusal := a.readCredential(parts["Credential"]); refusal != nil {
		return nil, refusal
	}
	a.signed = strings.Split(parts["SignedHeaders"], ";")
	if !headerNames(a.signed) {
		return nil, incomplete("Authorization header requires 'SignedHeaders' in lower case, in ascending order and each once.")
	}
	return a, nil
}

// parameters splits "Name=value, Name=value" and wants exactly the three that there are.
func parameters(s string) (map[string]string, *Error) {
	parts := make(map[string]string, 3)
	for field := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(strings.Trim(field, " "), "=")
		if _, twice := parts[name]; twice || !slices.Contains(parameterNames(), name) {
			return nil, incomplete("Authorization header has a parameter that is not known, or one twice.")
		}
		parts[name] = value
	}
	var sentences []string
	for _, name := range parameterNames() {
		if parts[name] == "" {
			sentences = append(sentences, "Authorization header requires '"+name+"' parameter.")
		}
	}
	if len(sentences) > 0 {
		return nil, incomplete("%s", strings.Join(sentences, " "))
	}
	return parts, nil
}

// parameterNames are in the order in which AWS complains about them.
func parameterNames() []string { return []string{"Credential", "Signature", "SignedHeaders"} }

// readCredential reads KEY/DATE/REGION/SERVICE/aws4_request.
func (a *authorization) readCredential(s string) *Error {
	fields := strings.Split(s, "/")
	if len(fields) != 5 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, " +
			"e.g. keyid/date/region/service/term.")
	}
	a.keyID, a.date, a.region, a.service = fields[0], fields[1], fields[2], fields[3]
	switch {
	case len(a.keyID) > maxKeyID || !consists(a.keyID, keyByte):
		return Unknown()
	case len(a.region) > maxRegion || !consists(a.region, regionByte):
		return invalid("Credential should be scoped to a valid region.")
	case fields[4] != terminator:
		return invalid("Credential should be scoped with a valid terminator: '%s'.", terminator)
	}
	return nil
}

// headerNames says whether names are header names in canonical form and order.
func headerNames(names []string) bool {
	for i, name := range names {
		if !consists(name, headerByte) || i > 0 && names[i-1] >= name {
			return false
		}
	}
	return true
}

// consists says whether s is made of such bytes, and of one at least.
func consists(s string, such func(byte) bool) bool {
	for i := range len(s) {
		if !such(s[i]) {
			return false
		}
	}
	return s != ""
}

func lowerOrDigit(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func regionByte(c byte) bool { return lowerOrDigit(c) || c == '-' }

func keyByte(c byte) bool {
	return lowerOrDigit(c) || 'A' <= c && c <= 'Z' || strings.IndexByte("_-.+@", c) >= 0
}

// headerByte is a byte of a header name (RFC 9110, token) that is not upper case.
func headerByte(c byte) bool { return lowerOrDigit(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 }
