package backup

import (
	"bytes"
	"context"
	"log/slog"

	"github.com/kopia/kopia/repo/logging"
)

// withLog routes what Kopia logs in ctx to log, at debug level. Without a
// logger in its context Kopia is silent.
func withLog(ctx context.Context, log *slog.Logger) context.Context {
	if !log.Enabled(ctx, slog.LevelDebug) {
		return logging.WithLogger(ctx, nil)
	}
	return logging.WithLogger(ctx, logging.ToWriter(&lineLogger{ctx: context.WithoutCancel(ctx), log: log}))
}

// lineLogger turns Kopia's lines into records.
type lineLogger struct {
	ctx context.Context // for the handler's values
	log *slog.Logger
}

func (l *lineLogger) Write(b []byte) (int, error) {
	l.log.DebugContext(l.ctx, "Kopia", "line", string(bytes.TrimSpace(b)))
	return len(b), nil
}
