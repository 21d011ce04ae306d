package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	a, err := load()
	if err != nil {
		t.Skipf("the service model cannot be had here: %v", err)
	}
	files, err := generate(a)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
		} else if string(got) != string(want) {
			t.Errorf("%s differs: run go generate ./internal/awsapi/...", name)
		}
	}
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ java, re2, refused string }{
		{`[a-z.]+`, `[a-z.]+`, ""},
		{`^(?!aws:)[\p{L}]*$`, `^[\p{L}]*$`, "aws:"},
		{`a.`, `a[^\n\r\x85\x{2028}\x{2029}]`, ""},
	} {
		re2, refused, err := translate(tc.java)
		if err != nil || re2 != tc.re2 && re2 != "(?-m:"+tc.re2+")" || refused != tc.refused {
			t.Errorf("%s: %s, refusing %q, %v", tc.java, re2, refused, err)
		}
	}
	for _, java := range []string{`^(?!a|b)x`, `^(?!a`, `a(?=b)`, `(?<!a)b`, `[`, `a++`} {
		if re2, _, err := translate(java); err == nil {
			t.Errorf("%s became %s", java, re2)
		}
	}
}

func TestCamel(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"ROTATE_90": "Rotate90", "eyeLeft": "EyeLeft", "Male": "Male", "IN_PROGRESS": "InProgress", "structure": "Structure",
	} {
		if got := camel(value); got != want {
			t.Errorf("camel(%q) = %q, want %q", value, got, want)
		}
	}
}
