"""`make chaos`: breaks one part of a running board after another, under load, and audits after each
fault that nothing acknowledged was lost or stored twice."""
