"""What is measured beside the runtime's own engines: nobody needs it to upscale pictures."""
