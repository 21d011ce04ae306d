package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file is a configuration file as it is read. It walks the tree of nodes by itself: so that every mistake is told at once
// with its line, numbers such as 000000000000 stay what was written, and no alias makes a small file large.
type file struct {
	name   string // for messages
	folder string // that paths are relative to
	lookup func(string) (string, bool)
	read   func(path string, limit int64) ([]byte, error)
	errs   []error
}

// wholeFile is what messages call the mapping at the root.
const wholeFile = "the file"

// inside is how messages name a key of a mapping.
func inside(what, key string) string {
	if what == wholeFile {
		return clip(key)
	}
	return what + "." + clip(key)
}

// maxErrors is how many mistakes are told at once.
const maxErrors = 25

// parse reads settings out of a file's content. Those that cannot be read are named in the error and stay as they are.
func (f *file) parse(content []byte, engine *Config, server *Server) error {
	root, err := f.document(content)
	if err != nil || root == nil {
		return err
	}
	settings := append(engine.Shared(), server.Settings()...)
	sections := map[string]func(*yaml.Node){
		"buckets": func(n *yaml.Node) { server.Buckets = f.buckets(n) },
		"roles":   func(n *yaml.Node) { server.Roles = f.roles(n) },
		"topics":  func(n *yaml.Node) { server.Topics = f.topics(n) },
	}
	f.structure(root, wholeFile, settings, sections)
	if len(f.errs) > maxErrors {
		more := len(f.errs) - maxErrors
		f.errs = append(f.errs[:maxErrors], fmt.Errorf("%s: and %d more mistakes", f.name, more))
	}
	return errors.Join(f.errs...)
}

// document is the root of the only document; nil where there is nothing but comments.
func (f *file) document(content []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil //nolint:nilnil // an empty file sets nothing, and that is no error
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not YAML: %s", f.name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s holds something behind the end of its first YAML document", f.name)
	}
	if root := document.Content[0]; !isNull(root) {
		return root, nil
	}
	return nil, nil //nolint:nilnil // as above
}

// fail notes a mistake at a node.
func (f *file) fail(n *yaml.Node, format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s:%d: %w", f.name, n.Line, fmt.Errorf(format, args...)))
}

// structure reads a mapping whose keys are known: settings, and sections that have a structure of their own.
func (f *file) structure(n *yaml.Node, what string, settings []Setting, sections map[string]func(*yaml.Node)) {
	f.each(n, what, func(key string, k, value *yaml.Node) {
		base, fromFile := strings.CutSuffix(key, "-file")
		at := func(key string) int { return slices.IndexFunc(settings, func(s Setting) bool { return s.Key == key }) }
		if read, ok := sections[key]; ok {
			read(value)
		} else if i := at(key); i >= 0 {
			f.assign(inside(what, key), value, settings[i].Value)
		} else if i := at(base); fromFile && i >= 0 && isSecret(settings[i].Value) {
			f.secretFile(inside(what, key), value, settings[i].Value, hasKey(n, base))
		} else {
			f.unknown(k, what, settings, sections)
		}
	})
}

// unknown refuses a key, with the one that may have been meant.
func (f *file) unknown(key *yaml.Node, what string, settings []Setting, sections map[string]func(*yaml.Node)) {
	var known []string
	for _, s := range settings {
		known = append(known, s.Key)
		if isSecret(s.Value) {
			known = append(known, s.Key+"-file")
		}
	}
	for name := range sections {
		known = append(known, name)
	}
	hint := ""
	if near := nearest(key.Value, known); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	f.fail(key, "%s has no key %q%s", what, clip(key.Value), hint)
}

// each goes through a mapping.
func (f *file) each(n *yaml.Node, what string, do func(key string, k, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		f.fail(n, "%s must be a mapping of keys to values", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			f.fail(key, "%s has a key that is not a word", what)
		case seen[key.Value]:
			f.fail(key, "%s has the key %q twice", what, clip(key.Value))
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			f.fail(value, "%s: anchors and aliases are not supported; write the value out", inside(what, key.Value))
		default:
			do(key.Value, key, value)
		}
		seen[key.Value] = true
	}
}

// assign reads a node into a value.
func (f *file) assign(key string, n *yaml.Node, to Value) {
	var err error
	switch list, isList := to.(interface{ setItems([]string) error }); {
	case isNull(n):
		err = errors.New("it has no value; leave the line out for the default")
	case n.Kind == yaml.SequenceNode && isList:
		err = f.items(n, to, list.setItems)
	case n.Kind == yaml.MappingNode && isRates(to):
		f.rates(key, n, to)
	case n.Kind != yaml.ScalarNode:
		err = errors.New("a single value is wanted")
	default:
		err = f.text(n.Value, to)
	}
	if err != nil {
		f.fail(n, "%s: %w", key, err)
	}
}

func (f *file) items(n *yaml.Node, to Value, set func([]string) error) error {
	items := make([]string, len(n.Content))
	for i, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return errors.New("a list of single values is wanted")
		}
		var err error
		if items[i], err = f.expand(item.Value, to); err != nil {
			return err
		}
	}
	return set(items)
}

func (f *file) rates(key string, n *yaml.Node, to Value) {
	var rates Rates
	f.each(n, key, func(operation string, k, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode {
			f.fail(value, "%s.%s: a number is wanted", key, clip(operation))
		} else if err := rates.add(operation, value.Value); err != nil {
			f.fail(k, "%s: %w", key, err)
		}
	})
	if all, ok := to.(*Rates); ok {
		*all = rates
	}
}

// text reads a scalar's text.
func (f *file) text(text string, to Value) error {
	text, err := f.expand(text, to)
	if err != nil {
		return err
	}
	if err := to.UnmarshalText([]byte(text)); err != nil {
		return err
	}
	if path, ok := to.(*Path); ok {
		*path = Path(f.path(string(*path)))
	}
	return nil
}

// path is a path of the file: relative ones start from the file's own folder.
func (f *file) path(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.folder, path)
}

// expand looks up ${NAME} in the environment, for values that may be secret.
func (f *file) expand(text string, to Value) (string, error) {
	switch to.(type) {
	case *URL, *URLs, *Secret, *Secrets:
	default:
		return text, nil
	}
	name, is := strings.CutPrefix(text, "${")
	name, ends := strings.CutSuffix(name, "}")
	if !is || !ends {
		return text, nil
	}
	value, _ := f.lookup(name)
	if value == "" {
		return "", fmt.Errorf("the environment variable %q is not set", clip(name))
	}
	return value, nil
}

// secretFile reads a secret out of a file of its own.
func (f *file) secretFile(key string, n *yaml.Node, to Value, alsoGiven bool) {
	if alsoGiven {
		f.fail(n, "%s: the secret is given directly as well; choose one", key)
		return
	}
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value == "" {
		f.fail(n, "%s: the path of a file is wanted", key)
		return
	}
	content, err := f.read(f.path(n.Value), maxFile)
	if err != nil {
		f.fail(n, "%s: %w", key, err)
		return
	}
	text := strings.TrimRight(string(content), "\r\n")
	if text == "" {
		f.fail(n, "%s: the file %s is empty", key, clip(n.Value))
	} else if err := to.UnmarshalText([]byte(text)); err != nil {
		f.fail(n, "%s: %w", key, err)
	}
}

func isSecret(v Value) bool {
	switch v.(type) {
	case *Secret, *Secrets:
		return true
	default:
		return false
	}
}

func isRates(v Value) bool {
	_, ok := v.(*Rates)
	return ok
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}
