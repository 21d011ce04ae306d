package main

import (
	"strings"
	"testing"
)

func TestTheListIsInOrder(t *testing.T) {
	t.Parallel()
	all, err := parse(list)
	if err != nil || len(all) < 25 {
		t.Errorf("%d mutations (%v)", len(all), err)
	}
}

func TestListsThatAreNotInOrder(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a name\nfile.go ./package\n- before",
		"a name\nfile.go ./package\n- before\n+ after\n+ more",
		"a name\nfile.go\n- before\n+ after",
		"a name\nfile.go ./package\n+ after\n- before",
	} {
		if got, err := parse(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	got, err := parse("# comment\n\na name\nfile.go ./package -run X\n- \tbefore\n+\n")
	if err != nil || len(got) != 1 || got[0].after != "" || strings.Join(got[0].tests, " ") != "./package -run X" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := (mutation{file: "main_test.go", before: "package"}).apply(); err == nil || !strings.Contains(err.Error(), "times the text") {
		t.Errorf("a text that is there more than once gives %v", err)
	}
}
