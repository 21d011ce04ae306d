package awsapi

import "github.com/spotter-video/spotter/internal/service"

var _ Service = (*service.Service)(nil)
