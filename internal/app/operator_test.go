package app

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
)

func TestOperatorNeedsADatabase(t *testing.T) {
	t.Parallel()
	s := config.DefaultServer()
	s.Data = config.Path(t.TempDir())
	_, opened := OpenOperator(t.Context(), config.Default(), s, OperatorRequest{Now: noon})
	_, copied := Backup(t.Context(), s, filepath.Join(t.TempDir(), "copy"))
	for what, err := range map[string]error{"to look after": opened, "to back up": copied} {
		if usage := (*fault.UsageError)(nil); !errors.As(err, &usage) {
			t.Errorf("no database %s: %v, want a fault.UsageError", what, err)
		}
	}
}

func TestTopicsThatAnOperatorMayKnow(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:us-east-1:000000000000:done"
	configured := map[string][]config.Sink{topic: nil}
	for name, c := range map[string]struct {
		settings config.Server
		want     bool
	}{
		"without the server's configuration": {config.DefaultServer(), true},
		"a topic that is configured":         {config.Server{UnknownTopics: config.LogTopics, Topics: configured}, true},
		"a topic of which nothing is known":  {config.Server{UnknownTopics: config.LogTopics}, false},
	} {
		if got := mayKnow(&c.settings, topic); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
