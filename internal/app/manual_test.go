package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
)

const manual = "../../docs/OPERATIONS.md"

// blocks are the fenced blocks of the manual in a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	var all []string
	for _, match := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(content(t, manual), -1) {
		all = append(all, match[1])
	}
	return all
}

func TestPoliciesOfTheManual(t *testing.T) {
	t.Parallel()
	policies := 0
	for _, block := range blocks(t, "json") {
		if !strings.Contains(block, `"Statement"`) {
			continue
		}
		policies++
		if err := awsapi.CheckPolicy(block); err != nil {
			t.Errorf("%v:\n%s", err, block)
		}
	}
	if policies != 3 {
		t.Errorf("%d policies in the manual, want 3", policies)
	}
}

// The manual's YAML is alerts for Prometheus, or a part of a configuration.
func TestYAMLOfTheManual(t *testing.T) {
	t.Parallel()
	alerts := 0
	for _, block := range blocks(t, "yaml") {
		if !strings.HasPrefix(block, "groups:") {
			path := filepath.Join(t.TempDir(), "spotter.yml")
			if err := os.WriteFile(path, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			sources := config.Sources{File: path, LookupEnv: func(string) (string, bool) { return "", false }}
			if _, _, err := sources.Read(); err != nil {
				t.Errorf("%v in\n%s", err, block)
			}
			continue
		}
		alerts++
		var file struct {
			Groups []struct {
				Name  string
				Rules []struct{ Alert, Expr string }
			}
		}
		if err := yaml.Unmarshal([]byte(block), &file); err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) < 5 {
			t.Errorf("%v: %+v", err, file)
		}
	}
	if alerts != 1 {
		t.Errorf("%d blocks of alerts", alerts)
	}
}

// The keys that the manual names are keys of the example file, which is held against the settings.
func TestKeysOfTheManual(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../spotter.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile("(?m)^\\| (`[a-z-]+`.*?) \\|").FindAllStringSubmatch(section(t, "### Limits"), -1) {
		for _, key := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(line[1], -1) {
			if !strings.Contains(string(example), "\n"+key[1]+":") {
				t.Errorf("%s is no key", key[1])
			}
		}
	}
}

// section is what stands between a heading of the manual and the next.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(content(t, manual), heading+"\n")
	if !found {
		t.Fatalf("no heading %s", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
