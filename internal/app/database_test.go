package app

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
)

// TestDatabasesThatCannotBeOpened tells one that is away from one that is named wrongly.
func TestDatabasesThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	for url, away := range map[string]bool{
		"postgres://nobody@127.0.0.1:1/spotter?connect_timeout=3":          true,
		"postgres://nobody@no-such-host.invalid/spotter?connect_timeout=3": true,
		"postgres://nobody@127.0.0.1:none/spotter":                         false,
		"mysql://nobody@127.0.0.1/spotter":                                 false,
	} {
		s := config.DefaultServer()
		s.Database = config.Database(url)
		_, opened := openDatabase(t.Context(), &s, slog.New(slog.DiscardHandler))
		_, beside := openBeside(t.Context(), &s)
		_, migrated := Migrate(t.Context(), s, func() {})
		for _, err := range []error{opened, beside, migrated} {
			var environment *fault.EnvironmentError
			var usage *fault.UsageError
			if got := errors.As(err, &environment); got != away || errors.As(err, &usage) == away {
				t.Errorf("%s: %v", url, err)
			}
			if away && !strings.Contains(environment.Mend, "--database") {
				t.Errorf("%s: nothing says what to do: %v", url, err)
			}
		}
	}
}
