package rest

import "time"

// Patience sets how long one answer may take.
func (c *Client) Patience(d time.Duration) { c.http.Timeout = d }

// Slice sets how long a capture reads what is promised for the night.
func (e *Engine) Slice(d time.Duration) { e.slice = d }

// Settles sets how long a restore waits for what an earlier one began.
func (e *Engine) Settles(d time.Duration) { e.settles = d }

// Speed is how many questions a second are asked now.
func (g *Gentle) Speed() float64 { return float64(g.l.Limit()) }

// Encode writes a record as the mirror and points keep it.
func Encode(m map[string]any) ([]byte, error) { return encode(m) }
