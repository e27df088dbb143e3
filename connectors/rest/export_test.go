package rest

import "time"

// Patience sets how long one answer may take.
func (c *Client) Patience(d time.Duration) { c.http.Timeout = d }

// Slice sets how long a capture reads what is promised for the night.
func (e *Engine) Slice(d time.Duration) { e.slice = d }
