package rest

import "time"

// Slice sets how long a capture reads what is promised for the night.
func (e *Engine) Slice(d time.Duration) { e.slice = d }
