package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// reloads reads again what can be read again, as often as it is asked to. What cannot be used is told to the log, and all stays as
// it was.
func (s *server) reloads(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.request.Reload:
			if err := s.reload(ctx); err != nil {
				s.log.LogAttrs(ctx, slog.LevelError, "what was read again cannot be used, so the old goes on", slog.Any("error", err))
			} else {
				s.log.LogAttrs(ctx, slog.LevelInfo, "certificates and topics were read again; other settings count from the next start, "+
					"and access keys at any time")
			}
		}
	}
}

func (s *server) reload(ctx context.Context) (err error) {
	if s.certificates != nil {
		err = s.certificates.read()
	}
	if s.request.Reread == nil {
		return err
	}
	settings, wrong := s.request.Reread()
	if wrong != nil {
		return errors.Join(err, fmt.Errorf("settings: %w", wrong))
	}
	return errors.Join(err, s.notices.Exchange(ctx, &settings))
}
