package sigv4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Verify says whether the request with this body was signed with this secret. A refusal is a [*Error]. How long it takes
// does not depend on the secret.
func (c *Claim) Verify(ctx context.Context, secret string, body []byte) error {
	sum := sha256.Sum256(body)
	payload := hex.EncodeToString(sum[:])
	if err := c.verify(ctx, secret, payload, int64(len(body))); err != nil {
		return err
	}
	if c.payload != "" && c.payload != payload {
		return invalid("The provided '%s' header does not match what was computed.", headerPayload)
	}
	return nil
}

// Foretold says whether the headers name the hash of the body, as those of some SDKs do: [Claim.VerifyHead] can then judge
// the request before there is a body. The length is what the headers say of it, -1 for nothing.
func (c *Claim) Foretold(length int64) bool {
	return sum256.MatchString(c.payload) && (length >= 0 || !c.lengthSigned)
}

var sum256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// VerifyHead says whether the holder of the secret has signed a request with these headers and a body of the length and of
// the hash that they name. A refusal is a [*Error]. Whether the body is that one is for [Claim.Verify] to say.
func (c *Claim) VerifyHead(ctx context.Context, secret string, length int64) error {
	return c.verify(ctx, secret, c.payload, length)
}

func (c *Claim) verify(ctx context.Context, secret, payload string, length int64) error {
	for i := range c.paths {
		want, err := c.sign(ctx, secret, payload, length, c.paths[i])
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(c.signature)) == 1 {
			return nil
		}
	}
	return mismatch()
}

// sign is the signature that the holder of the secret would have made.
func (c *Claim) sign(ctx context.Context, secret, payload string, length int64, path url.URL) (string, error) {
	r := &http.Request{Method: c.method, Host: c.host, Header: c.header.Clone(), URL: &path}
	if c.lengthSigned {
		r.ContentLength = length // the signer signs a length that is there
	}
	credentials := aws.Credentials{AccessKeyID: c.KeyID, SecretAccessKey: secret}
	// A signer of its own for every request: one that is kept keeps the derived key of an access key too, and would go on
	// accepting a secret that was replaced, or the made-up one of a key that did not exist yet.
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, payload, c.service, c.Region, c.Time); err != nil {
		return "", fmt.Errorf("sign request again: %w", err)
	}
	_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	return signature, nil
}
