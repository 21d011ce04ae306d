package sigv4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Verify says whether the request with this body was signed with this secret. A refusal is a [*Error]. How long it takes
// does not depend on the secret, so that a caller can verify against a made-up one where there is none.
func (c *Claim) Verify(ctx context.Context, secret string, body []byte) error {
	sum := sha256.Sum256(body)
	payload := hex.EncodeToString(sum[:])
	want, err := c.sign(ctx, secret, payload, int64(len(body)))
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(c.signature)) != 1 {
		return mismatch()
	}
	if c.payload != "" && c.payload != payload {
		return invalid("The provided '%s' header does not match what was computed.", headerPayload)
	}
	return nil
}

// sign is the signature that the holder of the secret would have made.
func (c *Claim) sign(ctx context.Context, secret, payload string, length int64) (string, error) {
	path := c.path
	r := &http.Request{Method: c.method, Host: c.host, Header: c.header.Clone(), URL: &path}
	if c.lengthSigned {
		r.ContentLength = length // the signer signs a length that is there
	}
	credentials := aws.Credentials{AccessKeyID: c.KeyID, SecretAccessKey: secret}
	// A signer of its own for every request: one that is kept keeps the derived key of an access key too, and would go on
	// accepting a secret that was replaced, or the made-up one of a key that did not exist yet.
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, payload, Service, c.Region, c.Time); err != nil {
		return "", fmt.Errorf("sign request again: %w", err)
	}
	_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	return signature, nil
}
