// Package notify shows notices on the owner's desktop. It knows how each
// system does that, and nothing of what the notices are about.
package notify

import "time"

// timeout bounds every call: a desktop that does not answer must not hold up
// who has something to tell.
const timeout = 2 * time.Second
