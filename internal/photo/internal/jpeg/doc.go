// Package jpeg decodes JPEG pictures of three components whose sampling factors the standard library does not know, such as
// 2x2, 1x1, 1x2. It is the decoder of Go 1.26's image/jpeg (LICENSE) with another way to lay out the components, and is used
// for nothing else. It knows no limits: who calls it has looked at the size.
package jpeg
