package iam

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

const (
	// maxDocument in bytes: IAM's own limit for the inline policies of a role, its largest.
	maxDocument = 10240
	// maxStatements is more than fit into a document that says something in each.
	maxStatements = 250
)

// Parse reads a policy document. An error says which element is wrong, and what to write instead.
func Parse(document string) (*Policy, error) {
	if len(document) > maxDocument {
		return nil, fmt.Errorf("policy document has %d bytes; at most %d are allowed", len(document), maxDocument)
	}
	top, err := readObject([]byte(document))
	if err != nil {
		return nil, fmt.Errorf("policy document: %w", err)
	}
	p, err := parseDocument(top)
	if err != nil {
		return nil, fmt.Errorf("policy document: %w", err)
	}
	return p, nil
}

func parseDocument(top object) (*Policy, error) {
	if err := top.allow("Version", "Id", "Statement"); err != nil {
		return nil, err
	}
	if err := checkVersion(top); err != nil {
		return nil, err
	}
	if top.has("Id") {
		if _, err := top.text("Id"); err != nil {
			return nil, err
		}
	}
	parts, err := top.objects("Statement", maxStatements)
	if err != nil {
		return nil, err
	}
	p := &Policy{statements: make([]statement, len(parts))}
	ids := make(map[string]bool, len(parts))
	for i, part := range parts {
		if p.statements[i], err = parseStatement(part, ids); err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return p, nil
}

func checkVersion(top object) error {
	if !top.has("Version") {
		return errors.New(`the Version is missing; write "Version": "2012-10-17"`)
	}
	version, err := top.text("Version")
	if err != nil {
		return err
	}
	if version != "2012-10-17" && version != "2008-10-17" {
		return fmt.Errorf("the Version is %q; write \"2012-10-17\"", version)
	}
	return nil
}

// parseStatement reads one statement, whose Sid, if it has one, must not be among ids.
func parseStatement(o object, ids map[string]bool) (statement, error) {
	switch {
	case o.has("Condition"):
		return statement{}, errors.New("a Condition is not supported; narrow the statement by its Action and Resource")
	case o.has("Principal"), o.has("NotPrincipal"):
		return statement{}, errors.New("a Principal is not supported: the policy belongs to an access key, which is the principal")
	}
	if err := o.allow("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource"); err != nil {
		return statement{}, err
	}
	if err := checkSid(o, ids); err != nil {
		return statement{}, err
	}
	effect, err := o.text("Effect")
	if err != nil {
		return statement{}, err
	}
	if effect != "Allow" && effect != "Deny" {
		return statement{}, fmt.Errorf("the Effect is %q; write \"Allow\" or \"Deny\"", effect)
	}
	s := statement{deny: effect == "Deny"}
	if s.actions, err = parseSet(o, "Action", checkAction); err != nil {
		return statement{}, err
	}
	for i, pattern := range s.actions.patterns {
		s.actions.patterns[i] = strings.ToLower(pattern)
	}
	s.resources, err = parseSet(o, "Resource", checkResource)
	return s, err
}

func checkSid(o object, ids map[string]bool) error {
	if !o.has("Sid") {
		return nil
	}
	sid, err := o.text("Sid")
	switch {
	case err != nil:
		return err
	case !sidPattern().MatchString(sid):
		return fmt.Errorf("the Sid is %q; letters and digits are allowed", sid)
	case sid != "" && ids[sid]:
		return fmt.Errorf("the Sid %q is that of another statement too", sid)
	}
	ids[sid] = true
	return nil
}

// parseSet reads the element of the name or of its opposite, which the name with Not before it is; one of them must be there.
func parseSet(o object, name string, check func(string) error) (set, error) {
	opposite := "Not" + name
	if o.has(name) == o.has(opposite) {
		return set{}, fmt.Errorf("there must be either %s or %s", name, opposite)
	}
	s := set{complement: o.has(opposite)}
	if s.complement {
		name = opposite
	}
	var err error
	if s.patterns, err = o.texts(name); err != nil {
		return set{}, err
	}
	for _, pattern := range s.patterns {
		if err := check(pattern); err != nil {
			return set{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

func checkAction(pattern string) error {
	if pattern != "*" && !actionPattern().MatchString(pattern) {
		return fmt.Errorf("%q is no action; write \"*\", or service:action as in \"rekognition:Search*\"", pattern)
	}
	return nil
}

func checkResource(pattern string) error {
	switch {
	case strings.Contains(pattern, "${"):
		return fmt.Errorf("%q has a policy variable; these are not supported", pattern)
	case pattern != "*" && !arnPattern().MatchString(pattern):
		return fmt.Errorf("%q is no resource; write \"*\", or an ARN as in "+
			"\"arn:aws:rekognition:*:*:collection/*\"", pattern)
	}
	return nil
}

//nolint:gochecknoglobals // compiled once, when first needed, and never changed
var (
	sidPattern    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9]*$`) })
	actionPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$`) })
	// arnPattern wants the six fields of an ARN, of which only the last may have colons of its own.
	arnPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^arn:[A-Za-z0-9*?-]+:[A-Za-z0-9-]+:[A-Za-z0-9*?-]*:[0-9A-Za-z*?]*:.+$`)
	})
)
