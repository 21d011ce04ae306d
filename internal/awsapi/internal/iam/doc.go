// Package iam decides what a caller may do: it reads IAM identity policy documents and evaluates them.
//
// A [Policy] is a list of statements, each with an Effect, an Action or NotAction and a Resource or NotResource, with the
// wildcards * (any characters, none included) and ? (one character). Nothing is allowed unless a statement allows it, and
// a statement that denies outweighs all that allow.
//
// Documents are read strictly: an element that is misspelt, twice there, or not understood is an error, because a policy
// that means something else than its author believes is worse than none. Conditions, policy variables and principals are
// not understood.
//
// It refuses to know what operations there are, who callers are, and what an answer looks like. A Policy does not change, so
// it is safe for concurrent use.
package iam
