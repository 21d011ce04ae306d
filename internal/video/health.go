package video

// SelfTest is what spotter-decode's self-test prints: which parts of the sandbox are in force, and what happened when it
// tried what they must forbid.
type SelfTest struct {
	Versions string
	Landlock int // ABI in force; 0 for none
	Seccomp  bool
	Limits   bool
	Problems []string
	Attempts []Attempt
}

// Attempt is one thing that the sandbox must refuse.
type Attempt struct {
	Name    string
	Refused bool
	Error   string
}

// OK says whether everything is in force and everything was refused.
func (t *SelfTest) OK() bool {
	for _, a := range t.Attempts {
		if !a.Refused {
			return false
		}
	}
	return t.Landlock > 0 && t.Seccomp && t.Limits && len(t.Attempts) > 0
}
