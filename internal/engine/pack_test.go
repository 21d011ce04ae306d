package engine

import (
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/config"
)

func TestModelsFolder(t *testing.T) {
	t.Parallel()
	c := config.Default()
	if got := ModelsFolder(c); filepath.Base(got) != "default" || !filepath.IsAbs(got) {
		t.Errorf("unset, the models are looked for in %s", got)
	}
	c.Models = "/opt/pack"
	if got := ModelsFolder(c); got != "/opt/pack" {
		t.Errorf("set, the models are looked for in %s", got)
	}
}
