// Package guide holds the owner's guide, one Markdown file per page and
// language, as it is read beside the project and shown in the window. It knows
// nothing of how it is shown.
package guide

import "embed"

// Pages are the guide's pages: "en/start.md".
//
//go:embed en/*.md sv/*.md
var Pages embed.FS
