package config_test

import (
	"fmt"

	"github.com/spotter-video/spotter/internal/config"
)

// The flag wins over the environment, which wins over the file.
func ExampleSources_Read() {
	environment := map[string]string{"SPOTTER_OPEN_JOBS": "50", "SPOTTER_WORKERS": "4"}
	engine, server, err := config.Sources{
		File:      "/etc/spotter/spotter.yml",
		LookupEnv: func(name string) (string, bool) { text, set := environment[name]; return text, set },
		Flags:     map[string]string{"workers": "8"},
		Buckets:   []string{"archive=/srv/video"},
		ReadFile: func(string, int64) ([]byte, error) {
			return []byte("data: data\nopen-jobs: 10\nkeep-results: 30d\n"), nil
		},
	}.Read()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(engine.Workers, server.OpenJobs, server.Data, server.Buckets["archive"].Folder)
	// Output: 8 50 /etc/spotter/data /srv/video
}

// Every mistake is told at once.
func ExampleSources_Read_mistakes() {
	_, _, err := config.Sources{
		File:      "spotter.yml",
		LookupEnv: func(string) (string, bool) { return "", false },
		ReadFile: func(string, int64) ([]byte, error) {
			return []byte("max_body: 20MiB\nopen-jobs: many\n"), nil
		},
	}.Read()
	fmt.Println(err)
	// Output:
	// spotter.yml:1: the file has no key "max_body"; did you mean "max-body"?
	// spotter.yml:2: open-jobs: "many" is not a whole number of 0 or more
}
