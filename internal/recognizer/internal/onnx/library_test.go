package onnx

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestLibraryThatIsCutOff(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux's format is looked at")
	}
	whole, err := os.ReadFile("/proc/self/exe") // any ELF file will do
	if err != nil {
		t.Fatal(err)
	}
	if err := checkWhole("/proc/self/exe"); err != nil {
		t.Errorf("a whole file is refused: %v", err)
	}
	for name, content := range map[string][]byte{
		"nothing": {}, "text": []byte("not found"), "header": whole[:100], "half": whole[:len(whole)/2],
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkWhole(path); err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Errorf("%s: %v, want that it is cut off", name, err)
		}
	}
}
