// Written by tests/architecture/case_pictures.py, of infra/case-workflow.asl.json.
export const SIZE = { width: 800, height: 460 };
export const BOX = { width: 148, height: 44 };
export const STATES = [
  { name: "Open Case", type: "Task", x: 208, y: 16 },
  { name: "Assign Case", type: "Task", x: 208, y: 112 },
  { name: "Work on Case", type: "Task", x: 208, y: 208 },
  { name: "Is Case Resolved", type: "Choice", x: 208, y: 304 },
  { name: "Close Case", type: "Task", x: 16, y: 400 },
  { name: "Escalate Case", type: "Task", x: 208, y: 400 },
  { name: "Fail", type: "Fail", x: 400, y: 400 },
  { name: "Step Failed", type: "Fail", x: 636, y: 208 },
];
export const WAYS = [
  { from: "Open Case", to: "Assign Case", path: "M282 60C282 86 282 86 282 112", caught: false },
  { from: "Open Case", to: "Step Failed", path: "M356 38C496 38 496 230 636 230", caught: true },
  { from: "Assign Case", to: "Work on Case", path: "M282 156C282 182 282 182 282 208", caught: false },
  { from: "Assign Case", to: "Step Failed", path: "M356 134C496 134 496 230 636 230", caught: true },
  { from: "Work on Case", to: "Is Case Resolved", path: "M282 252C282 278 282 278 282 304", caught: false },
  { from: "Work on Case", to: "Escalate Case", path: "M208 230C164 230 164 422 208 422", caught: true },
  { from: "Work on Case", to: "Step Failed", path: "M356 230C496 230 496 230 636 230", caught: true },
  { from: "Is Case Resolved", to: "Close Case", path: "M282 348C282 374 90 374 90 400", caught: false },
  { from: "Is Case Resolved", to: "Escalate Case", path: "M282 348C282 374 282 374 282 400", caught: false },
  { from: "Is Case Resolved", to: "Fail", path: "M282 348C282 374 474 374 474 400", caught: false },
  { from: "Close Case", to: "Step Failed", path: "M164 422C400 422 400 230 636 230", caught: true },
  { from: "Escalate Case", to: "Work on Case", path: "M356 422C400 422 400 230 356 230", caught: false },
  { from: "Escalate Case", to: "Step Failed", path: "M356 422C496 422 496 230 636 230", caught: true },
];
