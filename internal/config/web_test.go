package config

import (
	"net/url"
	"strings"
	"testing"
)

func TestOriginsReadAndWrite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{ // empty where it is refused
		"https://app.example.org":                          "https://app.example.org",
		" https://App.Example.org , http://localhost:3000": "https://app.example.org,http://localhost:3000",
		"https://app.example.org:443":                      "https://app.example.org",
		"http://app.example.org:80":                        "http://app.example.org",
		"https://app.example.org:8443":                     "https://app.example.org:8443",
		"http://[::1]:3000":                                "http://[::1]:3000",
		"chrome-extension://abcdefghijklmnop":              "chrome-extension://abcdefghijklmnop",
		"*":                                                "*",
		"null":                                             "",
		"https://app.example.org/":                         "",
		"https://app.example.org/x":                        "",
		"https://app.example.org?":                         "",
		"https://app.example.org#":                         "",
		"https://user@app.example.org":                     "",
		"https://*.example.org":                            "",
		"https://b\u00fccher.example":                      "",
		"https://app.example.org:":                         "",
		"app.example.org":                                  "",
		"file://":                                          "",
		"*,https://app.example.org":                        "",
	} {
		var o Origins
		err := o.UnmarshalText([]byte(in))
		if text, _ := o.MarshalText(); (err == nil) != (want != "") || err == nil && string(text) != want {
			t.Errorf("%q: %q, %v", in, text, err)
		}
	}
	var o Origins
	if err := o.UnmarshalText([]byte("https://app.example.org/")); !strings.Contains(err.Error(), "write https://app.example.org") {
		t.Errorf("what to write is not said: %v", err)
	}
	if err := o.UnmarshalText(nil); err != nil || o != nil {
		t.Errorf("no origins: %v, %v", o, err)
	}
}

func TestHostsReadAndWrite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"faces.example.org, FACES": "faces.example.org,faces", "[::1],10.0.0.7": "::1,10.0.0.7", "a_b": "a_b",
		"faces:8420": "", "https://faces": "", "*": "", "*.example.org": "", "b\u00fccher": "", "-x": "", ".": "", "a b": "",
		strings.Repeat("a", 254): "",
	} {
		var h HostNames
		err := h.UnmarshalText([]byte(in))
		if text, _ := h.MarshalText(); (err == nil) != (want != "") || err == nil && string(text) != want {
			t.Errorf("%q: %q, %v", in, text, err)
		}
	}
}

func TestBasePathReadAndWrite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/rekognition": "/rekognition", "/a/b-c_d.e~f/": "/a/b-c_d.e~f", "/": "", "": "", "/x//": "/x",
		"rekognition": "!", "//x": "!", "/../x": "!", "/.x": "!", "/a b": "!", "/a%20b": "!", "/a?b": "!", "/\u00fc": "!",
	} {
		var b BasePath
		if err := b.UnmarshalText([]byte(in)); (err == nil) != (want != "!") || err == nil && string(b) != want {
			t.Errorf("%q: %q, %v", in, b, err)
		}
	}
}

func TestEveryOriginWantsAWordMore(t *testing.T) {
	t.Parallel()
	every, one := Origins{AnyOrigin}, Origins{"https://app.example.org"}
	for name, c := range map[string]struct {
		set  func(*Server)
		want string
	}{
		"every, on loopback":         {func(s *Server) { s.AllowedOrigins = every }, ""},
		"every, unsigned":            {func(s *Server) { s.AllowedOrigins, s.Unsigned = every, true }, "name the pages' origins"},
		"every, unsigned, insisting": {func(s *Server) { s.AllowedOrigins, s.Unsigned, s.AnyOrigin = every, true, true }, "name the pages' origins"},
		"every, beyond":              {func(s *Server) { s.AllowedOrigins, s.Listen, s.PlainHTTP = every, ":8420", true }, "or set any-origin"},
		"every, beyond, insisting": {
			func(s *Server) { s.AllowedOrigins, s.Listen, s.PlainHTTP, s.AnyOrigin = every, ":8420", true, true }, "",
		},
		"one, beyond":   {func(s *Server) { s.AllowedOrigins, s.Listen, s.PlainHTTP = one, ":8420", true }, ""},
		"one, unsigned": {func(s *Server) { s.AllowedOrigins, s.Unsigned = one, true }, ""},
		"no origin":     {func(s *Server) { s.AllowedOrigins = Origins{"nowhere"} }, "allowed-origins: "},
		"no host":       {func(s *Server) { s.AllowedHosts = HostNames{"a b"} }, "allowed-hosts: "},
		"no path":       {func(s *Server) { s.BasePath = "x" }, "base-path: "},
		"connections":   {func(s *Server) { s.Connections = 3 }, "connections is 3"},
	} {
		s := DefaultServer()
		c.set(&s)
		if err := s.Validate(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// FuzzWeb reads what is compared with what strangers' browsers send: whatever is taken reads back as itself, and an origin ends where
// one ends.
func FuzzWeb(f *testing.F) {
	for _, seed := range []string{"https://a.example:8443", "*", "null", "http://[::1]:1", "faces.example.org", "[fe80::1%eth0]", "/a/b", "//", "x://y:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, pair := range [][2]Value{{new(Origin), new(Origin)}, {new(HostName), new(HostName)}, {new(BasePath), new(BasePath)}} {
			if pair[0].UnmarshalText([]byte(text)) != nil {
				continue
			}
			once, _ := pair[0].MarshalText()
			if err := pair[1].UnmarshalText(once); err != nil {
				t.Fatalf("%T: %q is read as %q, and that not at all: %v", pair[0], text, once, err)
			}
			if twice, _ := pair[1].MarshalText(); string(twice) != string(once) {
				t.Errorf("%T: %q, then %q, then %q", pair[0], text, once, twice)
			}
			if o, is := pair[0].(*Origin); is && *o != AnyOrigin {
				if u, err := url.Parse(string(*o)); err != nil || u.Path != "" || u.Scheme+"://"+u.Host != string(*o) {
					t.Errorf("%q is no origin", *o)
				}
			}
		}
	})
}
