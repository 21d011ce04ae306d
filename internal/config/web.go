package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// HostName is the name of a host, or its IP address, without a port: what a request's Host header may say. Names are in lower
// case, IPv6 addresses without brackets.
type HostName string

// hostName is what a Host header may carry of names: letters, digits, dots, hyphens, and the underscores of container networks.
var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$`)

// UnmarshalText reads a host.
func (h *HostName) UnmarshalText(text []byte) error {
	name := strings.ToLower(string(text))
	if address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")); err == nil {
		*h = HostName(address.WithZone("").String())
		return nil
	}
	if len(name) > maxHostName || !hostName.MatchString(name) {
		return fmt.Errorf("%q is not the name of a host such as faces.example.org; leave out scheme and port", clip(string(text)))
	}
	*h = HostName(name)
	return nil
}

// MarshalText writes the host.
func (h HostName) MarshalText() ([]byte, error) { return []byte(h), nil }

// HostNames are several of them. Nil for none.
type HostNames []HostName

// UnmarshalText reads a list with commas; an empty one is none.
func (h *HostNames) UnmarshalText(text []byte) error { return h.setItems(commas(text)) }

// MarshalText writes the list with commas.
func (h HostNames) MarshalText() ([]byte, error) { return joinItems(h), nil }

func (h *HostNames) setItems(items []string) error { return setList(h, items) }

// Origin is where a page comes from, as browsers say it: scheme, host and port, as in https://app.example.org, the port only where
// it is not the scheme's own. [AnyOrigin] is everywhere.
type Origin string

// AnyOrigin is every origin.
const AnyOrigin Origin = "*"

// UnmarshalText reads an origin.
func (o *Origin) UnmarshalText(text []byte) error {
	if string(text) == string(AnyOrigin) {
		*o = AnyOrigin
		return nil
	}
	if string(text) == "null" {
		return errors.New(`"null" is what every sandboxed page and every local file calls itself, so it names nobody: serve the page ` +
			"from an address, such as http://localhost:3000")
	}
	origin, err := originOf(string(text))
	if err != nil {
		return err
	}
	*o = origin
	return nil
}

func originOf(text string) (Origin, error) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || len(text) > maxURL || u.Scheme == "" || u.Host == "" || u.User != nil || !hostOfOrigin(u) {
		return "", fmt.Errorf("%q is not an origin such as https://app.example.org or http://localhost:3000", clip(text))
	}
	if u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.ContainsAny(text, "?#") {
		return "", fmt.Errorf("%q goes on behind host and port, where an origin ends: write %s://%s", clip(text), u.Scheme, u.Host)
	}
	host := u.Host
	if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		host = strings.TrimSuffix(host, ":"+u.Port()) // browsers leave it out
	}
	return Origin(u.Scheme + "://" + host), nil
}

// hostOfOrigin says whether a URL's host is one that a browser would write: names outside of ASCII are in punycode there.
func hostOfOrigin(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	_, err := netip.ParseAddr(u.Hostname())
	return err == nil || hostName.MatchString(u.Hostname())
}

// MarshalText writes the origin.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o), nil }

// Origins are several of them. Nil for none.
type Origins []Origin

// UnmarshalText reads a list with commas; an empty one is none.
func (o *Origins) UnmarshalText(text []byte) error { return o.setItems(commas(text)) }

// MarshalText writes the list with commas.
func (o Origins) MarshalText() ([]byte, error) { return joinItems(o), nil }

func (o *Origins) setItems(items []string) error {
	if err := setList(o, items); err != nil {
		return err
	}
	if len(*o) > 1 && o.Any() {
		return errors.New(`"*" is every origin: leave out the others, or "*"`)
	}
	return nil
}

// Any says whether every origin is meant.
func (o Origins) Any() bool { return slices.Contains(o, AnyOrigin) }

// BasePath is the path of an endpoint's URL, as in /rekognition, without a slash at its end. Empty for none.
type BasePath string

// basePath is what a path may hold that every client signs alike, whether it escapes once or twice: nothing to escape.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// UnmarshalText reads a path; slashes at its end do not matter.
func (b *BasePath) UnmarshalText(text []byte) error {
	path := strings.TrimRight(string(text), "/")
	const longest = 200 // bytes
	if path != "" && (len(path) > longest || !basePath.MatchString(path)) {
		return fmt.Errorf("%q is not a path such as /rekognition", clip(string(text)))
	}
	*b = BasePath(path)
	return nil
}

// MarshalText writes the path.
func (b BasePath) MarshalText() ([]byte, error) { return []byte(b), nil }

// commas are the items of a list with commas, without those that are empty.
func commas(text []byte) []string {
	var items []string
	for item := range strings.SplitSeq(string(text), ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// setList reads a list; an empty one is nil.
func setList[T any, P interface {
	*T
	Value
}, L ~[]T](to *L, items []string) error {
	list, err := readItems[T, P](items)
	if err != nil {
		return err
	}
	*to = nil
	if len(list) > 0 {
		*to = list
	}
	return nil
}
