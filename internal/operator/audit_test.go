package operator

import (
	"os"
	"strings"
	"testing"
)

func listed(t *testing.T, o *Operator, r AuditRequest) (list []string) {
	t.Helper()
	_, err := o.Audit(t.Context(), r, func(e AuditEntry) error {
		list = append(list, strings.Join([]string{e.Operation, e.Name, e.Process, e.Outcome}, " "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestOperatorReadsWhatIsAudited has operators change things with either kind of log, and read it.
func TestOperatorReadsWhatIsAudited(t *testing.T) {
	t.Parallel()
	for where, rows := range map[string]bool{"in a file": false, "in the database": true} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, func(c *Config) { c.AuditRows, c.Process = rows, "desk" })
			made, err := w.CreateKey(t.Context(), "portal", "", false)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.CreateSession(t.Context(), SessionRequest{Key: made.ID, For: LongestSession}) // which changes no row
			if err != nil {
				t.Fatal(err)
			}
			if err = w.CancelJob(t.Context(), w.job(1)); err != nil {
				t.Fatal(err)
			}
			if w.CancelJob(t.Context(), "none") == nil || w.DeleteKey(t.Context(), "AKIANOBODY", true) == nil {
				t.Error("what is not there was changed")
			}
			who := " operator/ann desk OK"
			got := strings.Join(listed(t, w.Operator, AuditRequest{}), ", ")
			if want := "CreateKey" + who + ", CreateSession" + who + ", CancelJob" + who; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got := listed(t, w.Operator, AuditRequest{Operation: "CreateSession", Since: noon()}); len(got) != 1 {
				t.Errorf("of one operation: %v", got)
			}
			if got := listed(t, w.Operator, AuditRequest{Until: noon()}); len(got) != 0 {
				t.Errorf("of before: %v", got)
			}
			if _, err = os.Stat(w.config.Audit); (err == nil) == rows {
				t.Errorf("a file: %v", err)
			}
			_, err = w.Audit(t.Context(), AuditRequest{Face: "x"}, func(AuditEntry) error { return nil })
			wantUsage(t, "no id of a face", err)
		})
	}
}
