// Package sigv4 checks that a request was signed by who holds a secret access key: AWS Signature Version 4 in the
// Authorization header, for the service that the caller names.
//
// A request is checked by signing it again with the official signer and comparing. [Parse] looks at the headers alone, so
// that what can be refused is refused before a body is read; [Claim.Verify] then takes the body and the secret. What
// clients of AWS differ in is accepted: which headers they sign, and for which region.
//
// It refuses to know where secrets come from, what a caller may do, and what an answer looks like. It holds no state, and
// all of it is safe for concurrent use.
package sigv4
