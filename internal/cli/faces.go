package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/client"
)

// facesOptions are the flags that all commands about faces have.
type facesOptions struct {
	collection string
	client.Options
	json  bool
	quiet bool
}

func (l *line) facesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "faces",
		Short: "Put photos of people into a server's collection, or list what it holds",
		Long: `Faces of a collection are what a server looks for. The commands ask the server through its API, as any program does: where AWS's SDKs find it and its
access key (AWS_ENDPOINT_URL, AWS_SHARED_CREDENTIALS_FILE and so on, as 'spotter serve' prints them), or where the flags say.`,
		Args:                       subcommandsOnly,
		RunE:                       showHelp,
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(l.facesImportCommand(), l.facesExportCommand())
	return cmd
}

// add adds the flags to a command.
func (o *facesOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.collection, "collection", "", "the collection's `id` (required)")
	f.StringVar(&o.Endpoint, "endpoint", "", "the server's `URL`; unset: as AWS's variables say, else http://127.0.0.1:8420")
	f.StringVar(&o.Credentials, "credentials", "", "`file` with the access key; unset: as AWS's variables and files say, else spotter-data/credentials")
	f.BoolVar(&o.Unsigned, "unsigned", false, "send no signature, to a server that asks for none")
	section(cmd, keySection, "endpoint", "credentials", "unsigned")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show no progress, only what wants attention")
	section(cmd, outputSection, "json", "quiet")
}

// server is the one that the flags name, or AWS's variables, or one on this machine.
func (l *line) server(ctx context.Context, o *facesOptions) (*client.Server, error) {
	set := func(names ...string) bool {
		for _, name := range names {
			if value, ok := l.LookupEnv(name); ok && value != "" {
				return true
			}
		}
		return false
	}
	if o.Endpoint == "" && !set("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_REKOGNITION") {
		o.Endpoint = "http://127.0.0.1:8420"
	}
	usual := filepath.Join("spotter-data", "credentials")
	if _, err := os.Stat(usual); err == nil && o.Credentials == "" && !set("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE") {
		o.Credentials = usual
	}
	return client.Open(ctx, o.Options)
}

// check says that a collection has to be named.
func (o *facesOptions) check() error {
	if o.collection == "" {
		return errors.New("name the collection: --collection ID")
	}
	return nil
}

func (l *line) facesImportCommand() *cobra.Command {
	var (
		o      facesOptions
		users  bool
		atOnce int
	)
	cmd := &cobra.Command{
		Use:   "import FOLDER|FILE.csv --collection ID",
		Short: "Put photos of people into a collection",
		Long: `Import enrols the largest face of each photo of a folder of people, as 'spotter search --faces' reads it (FOLDER/PERSON.jpg or
FOLDER/PERSON/ANY-NAME.jpg), or of a CSV file with the columns photo and person, and external_image_id if that is not to be made of both. The collection is
made if it is not there.

A photo whose external image id the collection has is not sent again: import may be stopped and goes on, and photos that come later are added. A photo without a
face that can be used is told with the reason, and the others are enrolled; the exit status then is 3.

With --users the faces of one person are put together as a user, which is searched for as one.`,
		Example: `    spotter faces import people/ --collection staff
    spotter faces import people.csv --collection staff --users --endpoint https://spotter.example.org`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return errors.New("name one folder of people, or a CSV file")
			case atOnce < 1 || atOnce > 64:
				return errors.New("--at-once is a number of photos, 1 to 64")
			}
			return o.check()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.facesImport(cmd.Context(), &o, args[0], users, atOnce)
		},
	}
	o.add(cmd)
	const usual = 4 // of which a server with few cores is kept busy
	cmd.Flags().BoolVar(&users, "users", false, "make a user of each person")
	cmd.Flags().IntVar(&atOnce, "at-once", usual, "send so many photos at the same time")
	return cmd
}

// importedDocument is what --json prints.
type importedDocument struct {
	Collection string `json:"collection"`
	Created    bool   `json:"created"`
	Photos     int    `json:"photos"`
	Enrolled   int    `json:"enrolled"`
	Known      int    `json:"known"`
	Refused    int    `json:"refused"`
	Users      int    `json:"users"`
}

func (l *line) facesImport(ctx context.Context, o *facesOptions, from string, users bool, atOnce int) error {
	shown := newProgress(l.Stderr, l.Now, terminalColumns(l.Stderr), o.quiet)
	defer shown.Clear()
	note := func(path, reason string, refused bool) {
		shown.Show(batch.Noted{Path: path, Reason: reason, Refused: refused})
	}
	members, err := batch.Members(from, note)
	if err != nil {
		return err
	}
	server, err := l.server(ctx, o)
	if err != nil {
		return err
	}
	photos := make([]client.Photo, len(members))
	for i, m := range members {
		if photos[i] = (client.Photo{Path: m.Path, ExternalID: m.ExternalID}); users {
			photos[i].User = m.User
		}
	}
	shown.Show(batch.EnrolmentStarted{Photos: len(photos)})
	done, err := server.Import(ctx, client.Import{
		Collection: o.collection, Photos: photos, AtOnce: atOnce,
		Progress: func(n int) { shown.Show(batch.PhotoDone{Done: n, Photos: len(photos)}) },
		Note:     func(path, reason string) { note(path, reason, true) },
	})
	if err != nil {
		return err
	}
	shown.Clear()
	if o.json {
		d := importedDocument{o.collection, done.Created, done.Photos, done.Enrolled, done.Known, done.Refused, done.Users}
		err = json.NewEncoder(l.Stdout).Encode(&d)
	} else if !o.quiet {
		made := ""
		if done.Created {
			made = ", which was made"
		}
		fmt.Fprintf(l.Stdout, "collection %s%s: %s enrolled, %d there before, %d refused\n", printable(o.collection), made,
			plural(done.Enrolled, "photo", "photos"), done.Known, done.Refused)
		if users {
			fmt.Fprintf(l.Stdout, "%s\n", plural(done.Users, "user", "users"))
		}
	}
	if err == nil && done.Refused > 0 {
		err = &batch.IncompleteError{Failed: done.Refused, Total: done.Photos, What: "photo", Did: "enrolled"}
	}
	return err
}

func (l *line) facesExportCommand() *cobra.Command {
	var o facesOptions
	cmd := &cobra.Command{
		Use:   "export --collection ID",
		Short: "List the faces of a collection",
		Long: `Export prints the faces of a collection as CSV, or as JSON documents, one a line: their ids, those of the photos that they are from, their external image ids and
whose they are. Embeddings and photos are not given out by a server.`,
		Example: `    spotter faces export --collection staff > staff.csv
    spotter faces export --collection staff --json | jq -r .external_image_id`,
		Args: func(cmd *cobra.Command, args []string) error { return errors.Join(noArguments(cmd, args), o.check()) },
		RunE: func(cmd *cobra.Command, _ []string) error { return l.facesExport(cmd.Context(), &o) },
	}
	o.add(cmd)
	return cmd
}

// faceDocument is a face as --json prints it.
type faceDocument struct {
	ID         string  `json:"face_id"`
	ExternalID string  `json:"external_image_id,omitempty"`
	User       string  `json:"user_id,omitempty"`
	ImageID    string  `json:"image_id"`
	Confidence float32 `json:"confidence"`
}

func (l *line) facesExport(ctx context.Context, o *facesOptions) error {
	server, err := l.server(ctx, o)
	if err != nil {
		return err
	}
	if o.json {
		out := json.NewEncoder(l.Stdout)
		return server.Faces(ctx, o.collection, func(f client.Face) error {
			return out.Encode(&faceDocument{f.ID, f.ExternalID, f.User, f.ImageID, f.Confidence})
		})
	}
	out := csv.NewWriter(l.Stdout)
	_ = out.Write([]string{"face_id", "external_image_id", "user_id", "image_id", "confidence"}) // the writer keeps its first error
	err = server.Faces(ctx, o.collection, func(f client.Face) error {
		return out.Write([]string{f.ID, f.ExternalID, f.User, f.ImageID, strconv.FormatFloat(float64(f.Confidence), 'f', -1, 32)})
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}
