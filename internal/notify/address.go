package notify

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// checkURL says what is wrong with an address, without showing it: it may hold a password.
func checkURL(address string, schemes ...string) error {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return errors.New("url: it is empty")
	case err != nil:
		return errors.New("url: it cannot be read; check it for spaces and odd characters")
	case !slices.Contains(schemes, u.Scheme):
		return fmt.Errorf("url: it must begin with one of %s://", strings.Join(schemes, "://, "))
	case u.Hostname() == "":
		return errors.New("url: it names no host")
	case u.Fragment != "":
		return errors.New("url: it has a fragment (#...), which is never sent; remove it")
	}
	return nil
}

// hostOf is the part of an address that may be shown.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return ""
}

// withoutUser is an address without its user and password.
func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}
