package archive

import "context"

// Exec runs a statement.
func (a *Archive) Exec(ctx context.Context, statement string) error {
	_, err := a.writer.ExecContext(ctx, statement)
	return err
}

// Check says what is damaged.
func (a *Archive) Check(ctx context.Context) error { return a.file.Check(ctx) }
