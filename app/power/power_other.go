//go:build !linux && !windows

package power

import (
	"context"

	"kvart/app"
)

func battery() app.Known { return app.KnownNot }

func metered(context.Context) app.Known { return app.KnownNot }
