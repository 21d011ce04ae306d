package fault_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/fault"
)

func TestErrorsOfFilesInPlainWords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	_, err := os.Open(path)
	if got, want := fault.Plain(err).Error(), path+": no such file or directory"; got != want || !errors.Is(fault.Plain(err), os.ErrNotExist) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := fault.Reason(err), "no such file or directory"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	other := errors.New("other")
	if fault.Plain(other) != other || fault.Reason(other) != "other" { //nolint:errorlint // the very same
		t.Error("another error was changed")
	}
}

func TestUsageIsAMistakeOnly(t *testing.T) {
	t.Parallel()
	interrupted := fmt.Errorf("copy: %w", context.Canceled)
	if fault.Usage(nil) != nil || fault.Usage(interrupted) != interrupted { //nolint:errorlint // the very same
		t.Error("what is no mistake became one")
	}
	usage := (*fault.UsageError)(nil)
	if err := fault.Usage(os.ErrExist); !errors.As(err, &usage) || !errors.Is(err, os.ErrExist) {
		t.Errorf("%v", err)
	}
	environment := &fault.EnvironmentError{Err: errors.New("missing"), Mend: "Put it back."}
	if environment.Error() != "missing\nPut it back." {
		t.Errorf("%q", environment)
	}
}
