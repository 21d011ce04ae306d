package notify

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const secretPrefix = "whsec_"

// The sizes of a secret in bytes that Standard Webhooks allows.
const (
	shortestSecret = 24
	longestSecret  = 64
)

// signers sign with one secret each.
type signers []*standardwebhooks.Webhook

func newSigners(secrets []Secret) (signers, error) {
	if len(secrets) == 0 {
		return nil, errors.New(`secrets: there are none; make one with: echo "whsec_$(openssl rand -base64 32)"`)
	}
	all := make(signers, 0, len(secrets))
	for i, s := range secrets {
		key, err := secretKey(string(s))
		if err != nil {
			return nil, fmt.Errorf("secret %d: %w", i+1, err)
		}
		w, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return nil, fmt.Errorf("secret %d: it cannot be used", i+1)
		}
		all = append(all, w)
	}
	return all, nil
}

// secretKey reads a secret. Its errors do not show it.
func secretKey(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, fmt.Errorf("it does not begin with %q", secretPrefix)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("what follows %q is not base64", secretPrefix)
	}
	if len(key) < shortestSecret || len(key) > longestSecret {
		return nil, fmt.Errorf("it has %d bytes; use %d to %d", len(key), shortestSecret, longestSecret)
	}
	return key, nil
}

// sign gives the webhook-signature header.
func (s signers) sign(id string, at time.Time, body []byte) (string, error) {
	all := make([]string, 0, len(s))
	for _, w := range s {
		one, err := w.Sign(id, at, body)
		if err != nil {
			return "", errors.New("sign the webhook: a secret cannot be used")
		}
		all = append(all, one)
	}
	return strings.Join(all, " "), nil
}
